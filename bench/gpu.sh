#!/usr/bin/env bash
# All that only a GPU can show, within eight minutes: the tests marked gpu, then the parts of bench/gpu.py, the most
# telling first. Each has its limit, and none needs another one's success. Figures go into bench/results/ (or $OUT).
#
#   VAE_DATA_DIR=<folder with MNIST> bash bench/gpu.sh
#   DEVICE=cpu SHORT=--short VAE_DATA_DIR=... bash bench/gpu.sh      # tries this script itself, without a GPU
set -u
cd "$(dirname "$0")/.."
data=${VAE_DATA_DIR:?names the folder with MNIST} device=${DEVICE:-cuda} short=${SHORT:-} whole=${LIMIT:-470}
python=${PYTHON:-python3} log=${OUT:-$(mktemp -d)}/log
export VAE_DATA_DIR PYTHONUNBUFFERED=1
json=${OUT:+--json $OUT/gpu.json}

part() {  # limit in seconds, command ...
  local limit=$1 left=$((whole - SECONDS)); shift
  [ -n "$short" ] && limit=$((3 * limit)) # a processor that others use, too, may be slow
  if ((left < 10)); then echo "no time left for: $*" | tee -a "$log"; return; fi
  ((limit > left)) && limit=$left
  echo "== $* (at most $limit s, at $SECONDS s)" | tee -a "$log"
  timeout -k 5 "$limit" "$@" >>"$log" 2>&1
  local status=$?
  ((status == 0)) || echo "exit status $status of: $*" | tee -a "$log"
}

measure() {  # limit in seconds, part ...
  # shellcheck disable=SC2086
  part "$1" "$python" -m bench.gpu "${@:2}" --data-dir "$data" --device "$device" --rounds "${ROUNDS:-1}" $short $json
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null | tee -a "$log"
part 100 "$python" -m pytest -q -rA -m gpu -p no:cacheprovider
grep -E "^(FAILED|ERROR)|passed|skipped|failed" "$log" | tail -8
measure 60 first many
measure 100 step speed
measure 90 resume kill
measure 40 evaluate
measure 75 batch cycle
[ -n "$short" ] || part 40 "$python" -m bench.time_to_elbo --ways plain now --data-dir "$data" --device "$device"
[ -n "$short" ] || measure 90 recipe
echo "================ after $SECONDS s; the log is $log"
# shellcheck disable=SC2086
"$python" -m bench.gpu table ${OUT:+$OUT/gpu.json}
grep -A6 "^| | 110 nats" "$log" || true
