# shellcheck shell=bash
# The private RabbitMQ as a container, for machines without the package. Sourced by scripts/broker after
# broker-node.sh, with `home` and `name` set. Image and settings are those of docker/.

# One container and one volume of the same name for each folder, so that checkouts do not share one.
docker_container() { printf 'pushbridge-broker-%s-%s' "$name" "$(printf %s "$home" | cksum | cut -d ' ' -f 1)"; }

docker_usable() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

docker_running() { [[ $(docker inspect --format '{{.State.Running}}' "$(docker_container)" 2>/dev/null) == true ]]; }

docker_start() {
  local container image deadline
  container=$(docker_container)
  image=$(sed -n 's/^ *image: *\(rabbitmq:.*\)$/\1/p' "$root/docker/compose.yaml")
  amqp_port=''
  # shellcheck source=/dev/null
  [[ ! -e $home/ports ]] || source "$home/ports"
  if [[ -z $amqp_port ]] || port_taken "$amqp_port"; then free_port amqp_port; fi
  printf '%s\n' "amqp_port=$amqp_port" >"$home/ports"
  docker rm --force "$container" >/dev/null 2>&1 || true # stopped by a reboot; the data are in the volume
  docker run --detach --name "$container" --hostname pushbridge-broker \
    --publish "127.0.0.1:$amqp_port:5672" \
    --mount "type=volume,source=$container,target=/var/lib/rabbitmq" \
    --mount "type=bind,source=$root/docker/rabbitmq.conf,target=/etc/rabbitmq/conf.d/20-pushbridge.conf,readonly" \
    "$image" >/dev/null {lock}>&- || die "Docker could not start $image; it says why above."
  deadline=$((SECONDS + start_seconds))
  until speaks_amqp "$amqp_port"; do
    if ! docker_running || ((SECONDS > deadline)); then
      docker logs --tail 20 "$container" >&2 || true
      docker_stop
      die "the RabbitMQ container did not answer within $start_seconds s; its log's end is above."
    fi
    sleep 0.5
  done
}

docker_stop() {
  docker stop --time 30 "$(docker_container)" >/dev/null 2>&1 || true
  docker rm --force "$(docker_container)" >/dev/null 2>&1 || true
}

docker_remove() { docker volume rm "$(docker_container)" >/dev/null 2>&1 || true; }

docker_ctl() { docker exec "$(docker_container)" rabbitmqctl "$@"; }
