"""Uses Kafka with the settings of each case, and says what came of it.

Standard input is a list of cases in JSON: `settings` of the client, and `token`, which is used
instead of what the client would make itself. Standard output is a list of answers: `error`, the
name of the first error, or `topics`, the names that are visible; and, for cases with `topic`,
`write` and `read`, each `ok` or the name of an error. A case with `leave`, a topic, leaves a record
there by a transaction, and the offset of a group.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

LIMIT = 20
# A client tries again after these, and would never tell.
RETRIED = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT}


class Case:
    def __init__(self, case):
        self.first = None
        self.settings = case["settings"] | {"error_cb": self.note, "log_level": 0}
        if token := case.get("token"):
            self.settings["oauth_cb"] = lambda _: (token, time.time() + 300)

    def note(self, error):
        if error.code() not in RETRIED:
            self.first = self.first or error.name()

    def look(self):
        client = AdminClient(self.settings)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            client.poll(0)
            if self.first:
                return {"error": self.first}
            try:
                topics = client.list_topics(timeout=0.5).topics
                return {"topics": sorted(name for name in topics if not name.startswith("__"))}
            except KafkaException as error:
                self.note(error.args[0])
        return {"error": "silence"}

    def write(self, topic):
        told = []
        producer = Producer(self.settings)
        producer.produce(topic, b"written", partition=0, callback=lambda e, _: told.append(e))
        producer.flush(LIMIT)
        return told[0].name() if told[0] else "ok"

    def leave(self, topic):
        producer = Producer(self.settings | {"transactional.id": "left-transaction"})
        producer.init_transactions(LIMIT)
        producer.begin_transaction()
        producer.produce(topic, b"left", partition=0)
        producer.commit_transaction(LIMIT)
        consumer = Consumer(self.settings | {"group.id": "left-group"})
        consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
        consumer.close()

    def read(self, topic):
        settings = {
            "group.id": "python",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
        consumer = Consumer(self.settings | settings)
        end = time.monotonic() + LIMIT
        try:
            # For what it cannot see it would wait in silence.
            if error := consumer.list_topics(topic, timeout=LIMIT).topics[topic].error:
                return error.name()
            consumer.assign([TopicPartition(topic, 0, 0)])
            while time.monotonic() < end:
                message = consumer.poll(0.2)
                error = message and message.error()
                if message and (not error or error.code() == KafkaError._PARTITION_EOF):
                    return "ok"
                # It looks for its group, which nobody needs here.
                if error and error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                    return error.name()
        finally:
            consumer.close()
        return "silence"


def answer(case):
    client = Case(case)
    answers = client.look()
    if topic := case.get("topic"):
        answers |= {"write": client.write(topic), "read": client.read(topic)}
    if topic := case.get("leave"):
        client.leave(topic)
    return answers


if __name__ == "__main__":
    with ThreadPoolExecutor() as threads:
        json.dump(list(threads.map(answer, json.load(sys.stdin))), sys.stdout)
