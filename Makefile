# Every target is a script in scripts/; each says what it does and stops at the first failure.
.POSIX:

PREFIX = $(HOME)/.local

help:
	@echo 'make demo      start test servers, verify a script against them, show the report'
	@echo 'make test      run all tests'
	@echo 'make images    build the images that let test servers run as containers'
	@echo 'make check     formatting, lints, dependencies'
	@echo 'make look      look at the HTML report in a browser, and check that everybody can read it'
	@echo 'make soak      run the tests with long loops'
	@echo 'make bench     measure speed'
	@echo 'make nightly   test what runs linkdial every night, and what is installed'
	@echo 'make install   install linkdial, its manual pages and completions; PREFIX=$(PREFIX)'
	@echo 'make uninstall remove them again'

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

images:
	@scripts/images.sh

check:
	@scripts/check.sh

look:
	@scripts/look.sh

soak:
	@LINKDIAL_SOAK=1 PROPTEST_CASES=20000 scripts/test.sh

bench:
	@scripts/bench.sh

nightly:
	@scripts/nightly.sh

install:
	@scripts/install.sh '$(PREFIX)'

uninstall:
	@scripts/install.sh --uninstall '$(PREFIX)'

.PHONY: help demo test images check look soak bench nightly install uninstall
