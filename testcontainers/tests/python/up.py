"""A test in another language: the servers of `up`, seen by the vendors' own clients.

Usage: up.py LINKDIAL_TESTCONTAINERS
"""

import json
import socket
import subprocess
import sys

import boto3
from azure.storage.blob import BlobServiceClient
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient


def minio(settings):
    s3 = boto3.client(
        "s3",
        endpoint_url=settings["endpoint_url"],
        region_name=settings["region"],
        aws_access_key_id=settings["aws_access_key_id"],
        aws_secret_access_key=settings["aws_secret_access_key"],
    )
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="private")["Contents"]]
    assert keys == ["other/two.txt", "team/a/one.txt", "top.txt"], keys
    s3.put_object(Bucket="empty", Key="python", Body=b"written")
    assert s3.get_object(Bucket="empty", Key="python")["Body"].read() == b"written"


def azurite(settings):
    service = BlobServiceClient.from_connection_string(settings["connection_string"])
    container = service.get_container_client("private")
    names = sorted(blob.name for blob in container.list_blobs())
    assert names == ["other/two.txt", "team/a/one.txt", "top.txt"], names
    again = BlobServiceClient(settings["endpoint_url"], credential=settings["account_key"])
    blob = again.get_blob_client("empty", "python")
    blob.upload_blob(b"written")
    assert blob.download_blob().readall() == b"written"


def kafka(settings):
    client = {"bootstrap.servers": settings["bootstrap_servers"]}
    topics = AdminClient(client).list_topics(timeout=10).topics
    assert len(topics["orders"].partitions) == 3, topics
    producer = Producer(client)
    producer.produce("orders", b"written")
    assert producer.flush(10) == 0
    consumer = Consumer(client | {"group.id": "python", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    message = consumer.poll(20)
    assert message is not None and message.error() is None, message
    assert message.value() == b"written"
    consumer.close()


def refuses(address):
    host, port = address.rsplit(":", 1)
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) != 0


def main():
    up = subprocess.Popen(
        [sys.argv[1], "up", "minio", "azurite", "kafka", "--format", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    servers = json.loads(up.stdout.readline())["servers"]
    for server, check in zip(servers, [minio, azurite, kafka], strict=True):
        assert server["name"] == check.__name__, server
        for link in server["links"]:
            assert link["statement"].startswith(f"CREATE LINK {link['name']} AS "), link
        check(server["settings"])
    up.stdin.close()
    assert up.wait(30) == 0
    assert all(refuses(server["address"]) for server in servers)


if __name__ == "__main__":
    main()
