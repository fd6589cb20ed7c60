# shellcheck shell=bash
# A private RabbitMQ node from the installed package. Sourced by scripts/broker, with `home` (the node's folder)
# and `name` set. Everything is its own: node name, AMQP port, distribution port, epmd, cookie, configuration,
# data and logs; so it disturbs no other RabbitMQ and none disturbs it.

# The package's server script, run directly: the one on the PATH insists on the system's user and folders.
# PUSHBRIDGE_RABBITMQ_SERVER names another; empty means that there is none.
rabbitmq_server() {
  local candidate
  if [[ -n ${PUSHBRIDGE_RABBITMQ_SERVER+set} ]]; then
    [[ -z $PUSHBRIDGE_RABBITMQ_SERVER || -x $PUSHBRIDGE_RABBITMQ_SERVER ]] ||
      die "PUSHBRIDGE_RABBITMQ_SERVER=$PUSHBRIDGE_RABBITMQ_SERVER is not a program."
    printf '%s' "$PUSHBRIDGE_RABBITMQ_SERVER"
    return
  fi
  for candidate in /usr/lib/rabbitmq/bin /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin; do
    if [[ -x $candidate/rabbitmq-server ]]; then
      printf '%s' "$candidate/rabbitmq-server"
      return
    fi
  done
}

# We installed the package for its program; its service on the default ports should not come with the next boot.
disable_system_service() {
  ! command -v systemctl >/dev/null || systemctl --quiet disable rabbitmq-server epmd.socket >/dev/null 2>&1 || true
}

# For who needs the package itself, since Docker's nodes are not processes to be killed.
need_rabbitmq() {
  if [[ -z $(rabbitmq_server) && -z ${PUSHBRIDGE_RABBITMQ_SERVER+set} ]] && can_install; then
    install_packages rabbitmq-server
    disable_system_service
  fi
  [[ -n $(rabbitmq_server) ]] || die "needs RabbitMQ itself, not a container, and found none." \
    "Debian, Ubuntu: sudo apt-get install rabbitmq-server (its own service may stay stopped)" "macOS: brew install rabbitmq" \
    "Elsewhere: PUSHBRIDGE_RABBITMQ_SERVER=/path/to/rabbitmq-server"
}

# Whether the process whose id is in a file is ours. Ids are reused and folders are copied or renamed, so the
# proof is that it works in this very folder, which both of our processes are started in.
ours_alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null || return 1
  if [[ -d /proc/$pid ]]; then
    [[ /proc/$pid/cwd -ef $home ]]
  else
    [[ $(lsof -a -p "$pid" -d cwd -Fn 2>/dev/null | sed -n 's/^n//p') -ef $home ]]
  fi
}

node_running() { ours_alive "$home/node.pid"; }

# The environment of the node and of its tools; call in a subshell.
node_environment() {
  unset "${!RABBITMQ_@}" "${!ERL_@}" CONF_ENV_FILE NOTIFY_SOCKET
  export HOME=$home # where Erlang looks for the cookie
  export LC_ALL=C.UTF-8
  export ERL_EPMD_PORT=$epmd_port ERL_EPMD_ADDRESS=127.0.0.1
  export ERL_FLAGS="-kernel inet_dist_use_interface {127,0,0,1}"
  export ERL_CRASH_DUMP=$home/log/erl_crash.dump
  # Not the machine's name: data are found under the node's name, and a laptop or a container is renamed at times.
  export RABBITMQ_NODENAME=pushbridge-$name@localhost
  export RABBITMQ_DIST_PORT=$dist_port
  export RABBITMQ_CONF_ENV_FILE=$home/rabbitmq-env.conf
  export RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf
  export RABBITMQ_ADVANCED_CONFIG_FILE=$home/advanced.config
  export RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$home/data
  export RABBITMQ_LOG_BASE=$home/log
  export RABBITMQ_LOGS=$home/log/node.log
}

# Takes the ports of the last run as far as nobody else has them now.
node_choose_ports() {
  local port
  amqp_port='' dist_port='' epmd_port=''
  # shellcheck source=/dev/null
  [[ ! -e $home/ports ]] || source "$home/ports"
  for port in amqp_port dist_port epmd_port; do
    if [[ -z ${!port} ]]; then
      free_port "$port"
    elif port_taken "${!port}"; then
      say "Port ${!port} of the private RabbitMQ '$name' is taken by someone else now; it moves to another."
      free_port "$port"
    fi
  done
  printf '%s\n' "amqp_port=$amqp_port" "dist_port=$dist_port" "epmd_port=$epmd_port" >"$home/ports"
}

node_configure() {
  mkdir -p "$home/data" "$home/log"
  if [[ ! -s $home/.erlang.cookie ]]; then
    (umask 077 && od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' >"$home/.erlang.cookie")
    chmod 400 "$home/.erlang.cookie"
  fi
  : >"$home/rabbitmq-env.conf" # keeps the system's from being read
  printf '[].\n' >"$home/advanced.config"
  printf '[].\n' >"$home/enabled_plugins"
  {
    cat "$root/docker/rabbitmq.conf"
    printf '%s\n' '' "listeners.tcp.1 = 127.0.0.1:$amqp_port" \
      'log.file.rotation.size = 10485760' 'log.file.rotation.count = 2'
  } >"$home/rabbitmq.conf"
}

# Starts a program that outlives this script and its terminal, in the node's folder.
node_spawn() { # PID_FILE LOG PROGRAM ARG…
  local pid_file=$1 log=$2 detached=()
  shift 2
  ! command -v setsid >/dev/null || detached=(setsid)
  (
    cd "$home" || exit
    exec {lock}>&- # else the node would hold it for as long as it lives
    node_environment
    # Makes the server script become the node instead of waiting for it: one process to know and to signal.
    export RUNNING_UNDER_SYSTEMD=true
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2"
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec "${detached[@]}" sh -c 'echo $$ >"$0"; exec "$@"' "$pid_file" "$@" </dev/null >>"$log" 2>&1
  ) &
}

# Whether an AMQP 0-9-1 broker answers: it greets a client's protocol header with a method frame.
speaks_amqp() {
  (
    LC_ALL=C
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'AMQP\0\0\11\1' >&3
    IFS= read -r -N 1 -t 2 byte <&3
    [[ $byte == $'\1' ]]
  ) 2>/dev/null
}

node_start() {
  local server attempt deadline
  server=$(rabbitmq_server)
  for attempt in 1 2 3; do
    node_end epmd.pid 5 # left behind by a node that was killed
    node_choose_ports
    node_configure
    : >"$home/log/startup.log"
    node_spawn "$home/epmd.pid" "$home/log/startup.log" "$(node_epmd "$server")" -port "$epmd_port" -address 127.0.0.1
    deadline=$((SECONDS + 5))
    until port_taken "$epmd_port" || ((SECONDS > deadline)); do sleep 0.05; done
    rm -f "$home/node.pid"
    node_spawn "$home/node.pid" "$home/log/startup.log" "$server"
    deadline=$((SECONDS + start_seconds))
    until [[ -s $home/node.pid ]] || ((SECONDS > deadline)); do sleep 0.05; done
    while node_running; do
      if speaks_amqp "$amqp_port"; then return 0; fi
      if ((SECONDS > deadline)); then
        node_log
        node_stop
        die "the private RabbitMQ did not answer on port $amqp_port within $start_seconds s; its log's end is above." \
          "Logs: $home/log" "To begin with empty data: $(command_name) remove"
      fi
      sleep 0.2
    done
    # It ended by itself. Somebody may have taken a port since it was chosen; then others are tried.
    if ((attempt < 3)) && grep -q -E 'eaddrinuse|already_used|already in use|nodistribution' "$home/log/startup.log"; then
      rm -f "$home/ports"
      continue
    fi
    node_log
    node_stop
    die "the private RabbitMQ ended while starting; its log's end is above." "Logs: $home/log" \
      "To begin with empty data: $(command_name) remove"
  done
}

# The port mapper that belongs to the server's Erlang.
node_epmd() {
  if command -v epmd >/dev/null; then
    command -v epmd
  else
    erl -noinput -eval 'io:put_chars(filename:join([code:root_dir(), "bin", "epmd"])), halt().'
  fi
}

node_log() {
  {
    echo "---- $home/log"
    tail -n 15 "$home/log/node.log" 2>/dev/null || true
    tail -n 15 "$home/log/startup.log" 2>/dev/null || true
    echo "----"
  } >&2
}

# Ends one of our processes: asks, waits, kills.
node_end() { # PID_FILE SECONDS
  local pid deadline
  if ours_alive "$home/$1"; then
    pid=$(cat "$home/$1")
    kill -TERM "$pid"
    deadline=$((SECONDS + $2))
    while ours_alive "$home/$1"; do
      if ((SECONDS > deadline)); then
        say "${1%.pid} (process $pid) did not end within $2 s: killing it."
        kill -KILL "$pid" 2>/dev/null || true
        deadline=$((SECONDS + 5))
      fi
      sleep 0.1
    done
  fi
  rm -f "$home/$1"
}

node_stop() {
  node_end node.pid 30
  node_end epmd.pid 5
}

node_remove() { :; }

node_ctl() (
  server=$(rabbitmq_server)
  # shellcheck source=/dev/null
  source "$home/ports"
  node_environment
  exec "${server%/*}/rabbitmqctl" "$@"
)
