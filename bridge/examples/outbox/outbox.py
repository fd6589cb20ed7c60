# A transactional outbox, as a sketch: what is to be pushed is written in the transaction that makes it true, and brought to
# RabbitMQ by a process of its own. So a push never tells of what was rolled back, and none is forgotten when RabbitMQ is away.
#
#   python3 outbox.py order FILE CUSTOMER     what the application does for an order
#   python3 outbox.py relay FILE              what runs beside it; here until the outbox is empty
#
# With AMQP_URI in the environment. Needs pika (Debian: python3-pika). SQLite stands for your database.
import json
import os
import sqlite3
import sys

import pika


def open_database(file):
    database = sqlite3.connect(file, isolation_level=None)
    database.executescript(
        """CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL);
        -- The id is the seq: it rises, and is the same when the relay has to publish the same once more.
        CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, body TEXT NOT NULL);"""
    )
    return database


def order(database, customer):
    database.execute("BEGIN IMMEDIATE")
    number = database.execute("INSERT INTO orders (customer) VALUES (?)", [customer]).lastrowid
    seq = database.execute("INSERT INTO outbox (address, body) VALUES (?, '')", [f"user.{customer}"]).lastrowid
    body = json.dumps({"type": "order.placed", "payload": {"order": number}, "seq": seq})
    database.execute("UPDATE outbox SET body = ? WHERE id = ?", [body, seq])
    database.execute("COMMIT")  # both or none


def relay(database, channel):
    """One relay at a time, else the order is lost. Publishes the oldest, and deletes it when RabbitMQ has it."""
    while row := database.execute("SELECT id, address, body FROM outbox ORDER BY id LIMIT 1").fetchone():
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/json")
        channel.basic_publish("push", row[1], row[2].encode(), properties, mandatory=True)
        if os.environ.get("OUTBOX_CRASH"):
            os._exit(3)  # for the test: between the two, where the same is published again the next time
        database.execute("DELETE FROM outbox WHERE id = ?", [row[0]])


if __name__ == "__main__":
    what, file, *rest = sys.argv[1:]
    database = open_database(file)
    if what == "order":
        order(database, *rest)
    else:
        connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
        channel = connection.channel()
        channel.confirm_delivery()
        relay(database, channel)
        connection.close()
