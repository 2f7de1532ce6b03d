# MinIO under the vendor's name. Its program is static and needs nothing else.
FROM scratch
COPY minio /usr/bin/minio
EXPOSE 9000
VOLUME /data
ENTRYPOINT ["/usr/bin/minio"]
CMD ["server", "/data"]
