# Every target is a script in scripts/; each says what it does and stops at the first failure.
.POSIX:

PREFIX = $(HOME)/.local

help:
	@echo 'make demo      start test servers, verify a script against them, show the report'
	@echo 'make test      run all tests'
	@echo 'make images    build the images that let test servers run as containers'
	@echo 'make check     formatting, lints, dependencies'
	@echo 'make soak      run the tests with long loops'
	@echo 'make bench     measure speed'
	@echo 'make install   install linkdial, its man page and completions; PREFIX=$(PREFIX)'

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

images:
	@scripts/images.sh

check:
	@scripts/check.sh

soak:
	@LINKDIAL_SOAK=1 PROPTEST_CASES=20000 scripts/test.sh

bench:
	@scripts/bench.sh

install:
	@scripts/install.sh '$(PREFIX)'

.PHONY: help demo test images check soak bench install
