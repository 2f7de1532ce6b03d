# Apache Kafka under the vendor's name: its jars on Debian's Java.
FROM local/debian:bookworm
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
COPY libs /opt/kafka/libs
COPY kafka-run /etc/kafka/docker/run
RUN chmod 755 /etc/kafka/docker/run && mkdir -p /var/lib/kafka/data
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
