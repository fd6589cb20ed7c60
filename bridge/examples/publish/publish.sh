#!/bin/sh
# publish.sh ADDRESS TYPE PAYLOAD-JSON, with AMQP_URI in the environment. Needs amqp-publish (Debian: amqp-tools).
# For scripts that may lose a message: amqp-publish waits for no confirm. "pushbridge publish" does.
set -eu
seq=$(($(date +%s) * 1000000))
printf '{"type":"%s","payload":%s,"seq":%s}' "$2" "$3" "$seq" |
  amqp-publish --url="$AMQP_URI" --exchange=push --routing-key="$1" --persistent --content-type=application/json
