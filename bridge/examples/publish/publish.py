# python3 publish.py ADDRESS TYPE PAYLOAD-JSON, with AMQP_URI in the environment. Needs pika (Debian: python3-pika).
import json
import os
import sys
import time

import pika


def push(channel, address, kind, payload, seq=None):
    """Returns when RabbitMQ has the message safely; raises when it has not."""
    body = {"type": kind, "payload": payload, "seq": seq or time.time_ns() // 1000}
    channel.basic_publish(
        "push",
        address,
        json.dumps(body, ensure_ascii=False).encode(),
        pika.BasicProperties(delivery_mode=2, content_type="application/json"),
        mandatory=True,
    )


if __name__ == "__main__":
    _, address, kind, payload = sys.argv
    try:
        connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
        channel = connection.channel()
        channel.confirm_delivery()  # from now on basic_publish waits for RabbitMQ's word
        push(channel, address, kind, json.loads(payload))
        connection.close()
    except pika.exceptions.AMQPError as e:
        sys.exit(f"not sent: {e!r}")
