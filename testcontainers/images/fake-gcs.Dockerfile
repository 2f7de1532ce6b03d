# fake-gcs-server under the vendor's name. Its program is static and needs nothing else.
FROM scratch
COPY fake-gcs-server /bin/fake-gcs-server
EXPOSE 4443
ENTRYPOINT ["/bin/fake-gcs-server", "-data", "/data"]
