#!/usr/bin/env bash
# All that only a GPU can show, within eight minutes: the tests marked gpu, trainings at once, exactness, speed, memory.
# The most telling comes first, each part has its limit, and none needs another one's success. Logs: $OUT; a summary last.
#
#   mkdir -p .gpu && cp -r ../shared/data .gpu/ && echo /.gpu/ >>.git/info/exclude       # once, where MNIST is elsewhere
#   bash bench/gpu.sh                # DEVICE=cpu SHORT=--short tries this script itself on a machine without a GPU
set -u
cd "$(dirname "$0")/.."
out=${OUT:-gpu-out} data=${VAE_DATA_DIR:-/tmp/mnist} device=${DEVICE:-cuda} short=${SHORT:-} whole=${LIMIT:-470}
mkdir -p "$out"
[ -d "$data/MNIST/raw" ] || bash .gpu/data/unpack "$data" || exit
export VAE_DATA_DIR=$data PYTHONUNBUFFERED=1
python=${PYTHON:-python3}

part() {  # limit in seconds, name of the log, command ...
  local limit=$1 log=$out/$2.log left=$((whole - SECONDS)); shift 2
  if ((left < 15)); then echo "RESULT no time left for: $*" | tee -a "$log"; return; fi
  ((limit > left)) && limit=$left
  echo "== $* (at most $limit s, at $SECONDS s)" | tee -a "$log"
  timeout -k 5 "$limit" "$@" >>"$log" 2>&1
  local status=$?
  ((status == 0)) || echo "RESULT exit status $status of: $*" >>"$log"
}

broken_off() {  # a run that is killed and goes on, beside one that is not
  local common="--data mnist --data-dir $data --device $device --average 0.99 --record-every 200" steps=${STEPS:-40000}
  rm -rf /tmp/whole /tmp/killed
  $python -m vae_core train $common --steps "$steps" --out /tmp/whole
  $python -m vae_core train $common --steps "$steps" --out /tmp/killed & local pid=$!
  for ((n = 0; n < 300; n++)); do [ -e /tmp/killed/state.safetensors ] && break; sleep 0.1; done
  sleep 5
  kill -9 $pid; wait $pid
  $python -m vae_core train --resume --data-dir "$data" --device "$device" --out /tmp/killed
  $python - <<'P'
import torch
from safetensors.torch import load_file
from vae_core.folder import RunFolder
from pathlib import Path
one, other = (RunFolder(Path(f"/tmp/{name}")) for name in ("whole", "killed"))
a, b = load_file(one.model_file), load_file(other.model_file)
same = all(torch.equal(a[k], b[k]) for k in a)
print("RESULT killed and resumed: same bits", same, "off by", max(float((a[k] - b[k]).abs().max()) for k in a),
      "at", other.records()[-1]["test"], "whole", one.records()[-1]["test"], f"{one.records()[-1]['seconds']:.1f} s")
P
}
export -f broken_off; export device data python

{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
  $python -c "import torch, numpy; print('torch', torch.__version__, 'numpy', numpy.__version__, torch.cuda.is_available())"
} 2>&1 | tee "$out/tests.log"
part 100 tests $python -m pytest -q -rA tests/test_step.py tests/test_train.py -m gpu -p no:cacheprovider
part 100 many $python -m bench.gpu many --data-dir "$data" --device "$device" $short
part 120 step $python -m bench.gpu first step resume --data-dir "$data" --device "$device" $short
part 100 speed $python -m bench.train_speed --only-speed --rounds "${ROUNDS:-2}" --data-dir "$data" --device "$device" --json "$out/speed.json"
part 60 evaluate $python -m bench.gpu evaluate --data-dir "$data" --device "$device" $short
part 75 memory $python -m bench.gpu batch cycle --data-dir "$data" --device "$device" $short
part 75 command bash -c broken_off
part 110 command $python -m checkpoints.train mnist-mlp-20d --data-dir "$data" --runs-dir /tmp/ck --device "$device"
echo "================ summary after $SECONDS s"
grep -hE "passed|failed|^FAILED|^ERROR" "$out/tests.log" | tail -8
grep -h "launches a step\|textbook\|^mlp \|^conv " "$out/speed.log"
grep -h "^RESULT" "$out"/*.log | cut -c8-240
