# The commands of scripts/compare-binaries.sh, which reads this file: each in a line "try NAME ARGUMENT…".
# Convolutions' algorithms are named, since "auto" measures; so is the number of threads.
# shellcheck shell=bash disable=SC2154,SC2016,SC2086 # isa, old and reproduce come from there; before takes code

device=(--threads 2 --cpu-isa "$isa" --conv-algo winograd)
direct=(--threads 2 --cpu-isa "$isa" --conv-algo direct)
every4=(--set train.log_every=2 --set train.eval_every=4 --set train.sample_every=4 --set train.save_every=4)
small=(--preset folder --data-dir pictures --set data.size=16 --set model.width=1 --batch 8 --buffer-size 60 --sgld-steps 4
    --lr 0.005 --set optim.warmup=2 "${every4[@]}")
log=(--log-format json)

# ---- Training

train() { # NAME SETTINGS…: eight steps on pictures
    try "train-$1" train "${small[@]}" --steps 8 "${direct[@]}" --out @ "${@:2}"
}

try train-demo train --preset fashion-demo --steps 20 --batch 16 --buffer-size 100 --set data.limit=2000 --set data.valid=200 \
    --set train.log_every=5 --set train.eval_every=10 --set train.sample_every=10 --set train.save_every=10 \
    --set optim.warmup=5 "${device[@]}" "${log[@]}" --out @
train pictures --steps 12
train norm --conv-algo winograd --set model.norm=batch --set data.grey=true --set optim.name=sgd --set optim.ema=0 --set optim.weight_decay=1e-3
train instance --set model.norm=instance --set model.dropout=0.2 --set sampler.start=uniform --set objective.l2=0 --quiet --json
train layer --set model.norm=layer --set optim.cosine=false --set optim.decay_epochs=1 --set sampler.step_decay=0.9 --log-level debug
train joint --set objective.p_x_y=1 --set objective.p_x=0 --set objective.p_y_given_x=0
train class --set objective.class_cond=true --set objective.p_x=1 --seed 2
train semi --set data.labels_per_class=5 --set data.shared_stream=false --set data.clean_px=true
train baseline --set objective.p_x=0 --set objective.l2=0
train again --set guard.max_gap=0.02 --set guard.budget=3
train again-and-again --set guard.max_gap=1e-9 --set guard.budget=2 --set guard.suspect=1
train diverged --set guard.max_log_px=0.5 --set guard.budget=0
train stopped --steps 6 --set train.keep_last=1 --set optim.cosine=false
try train-resumed train --resume @ --allow-changes --set train.steps=10 "${log[@]}"
before train-resumed 'cp -r out/train-stopped @'
try train-continued train --resume @ # ended already
before train-continued 'cp -r out/train-stopped @'
for each in $("$old" devices | awk '$1 == "cpu" && !/not available/ { print $2 }'); do
    train "isa-$each" --steps 2 --conv-algo winograd --cpu-isa "$each"
done
train bf16 --steps 4 --conv-algo winograd --cpu-isa avx512 --precision bf16

# ---- Measurements

measure() { # NAME TASK RUN ARGUMENTS…
    try "eval-$1" eval --task "$2" --run "out/train-$3" "${device[@]}" --json "${@:4}"
}

measure accuracy accuracy demo --refine 0,1 --noise 0,0.03 --limit 100
measure accuracy-norm accuracy norm --refine 0,2 --noise 0.03 "${log[@]}"
try eval-accuracy-checkpoint eval --checkpoint out/train-pictures/checkpoints/step-00000008 --split valid "${device[@]}"
measure nll nll demo --limit 200
measure calibration calibration demo --limit 200 --pictures @ --out @/result.json
measure ood ood demo --ood interp,uniform,gaussian,folder:pictures/train --scores all --limit 60 --fit-images 200 --neighbour 5 --pictures @ --out @/result.json
measure ood-published ood pictures --ood uniform,gaussian,fashion-mnist --limit 20
measure chains chains demo -n 4 --steps 32 --every 2 --pictures @
measure chains-fresh chains demo -n 4 --steps 16 --every 1 --fresh --pictures @ --seed 3
measure distal distal pictures --class disc --limit 6 --pictures @
measure samples samples pictures --classifier out/train-baseline --count 40 --pictures @ --out @/result.json --feature-cache out/cache
measure samples-dat samples demo --classifier out/train-demo --count 30 --limit 100 --protocol dat --guidance 0.5 --sample-steps 5 --feature-cache out/cache
for each in accuracy nll calibration ood chains distal samples; do # as a table
    try "eval-table-$each" eval --task "$each" --run out/train-pictures "${device[@]}" --steps 16 --every 1 --ood uniform --class 1 \
        --classifier out/train-class --count 20 --limit 10 --feature-cache out/cache2
done

attack() { # NAME ATTACKS RUN ARGUMENTS…
    try "attack-$1" attack --attack "$2" --run "out/train-$3" "${device[@]}" --pgd-steps 4 --restarts 2 --queries 20 --chains 2 \
        --epsilon 4,32 --limit 8 --attack-batch 4 --json --out @ "${@:4}"
}

attack pgd pgd demo --refine 0,1
attack apgd apgd-ce,apgd-dlr pictures --draws 2
attack square square pictures
attack l2 pgd pictures --norm l2 --seed 2
attack decisions boundary,pointwise pictures
attack transfer pgd,square pictures --from out/train-baseline
try attack-table attack --run out/train-pictures "${device[@]}" --pgd-steps 3 --restarts 1 --limit 4 --chains 1

# ---- Pictures, scores, exports

sample() { try "sample-$1" sample --run "out/train-$2" "${device[@]}" --out @/samples.png "${@:3}"; }

sample buffer demo -n 20 --steps 3
sample fresh demo -n 9 --steps 6 --fresh --sort logpx --json
sample each pictures -n 9 --steps 6 --class each --gif @/chains.gif --every 2 --json
sample guided demo -n 4 --steps 4 --class Sandal --guidance 1 --seed 5
try score-table score --model out/train-pictures --input pictures/test/disc "${direct[@]}"
try score-json score --model out/train-pictures --input pictures/test "${direct[@]}" --json
try score-csv score --model out/train-norm/checkpoints/step-00000008 --input pictures/test "${device[@]}" --out @/scores.csv
try score-tensors score --model out/train-pictures --input pictures/test "${device[@]}" --out @/scores.safetensors
for each in pt safetensors onnx; do
    try "convert-$each" convert out/train-pictures "@/model.$each"
done
try convert-norm convert --json out/train-norm @/model.pt
try convert-norm-back convert --norm batch out/convert-norm/model.pt @/model.safetensors
try convert-no-buffer convert --no-buffer out/train-demo @/model.pth
try convert-back convert out/convert-no-buffer/model.pth @
try score-pt score --model out/convert-pt/model.pt --input pictures/test/disc "${device[@]}" --format csv
try compare-table compare --run out/train-pictures --run out/train-class --out @/loss.png
try compare-json compare --run out/train-pictures --run out/train-class --metric accuracy --kind eval-valid --json
try checkpoint-list checkpoint list out/train-pictures
try checkpoint-verify checkpoint verify --json out/train-demo

# ---- Settings, listings, self-tests

for each in $("$old" config presets | cut -d' ' -f1); do try "preset-$each" config show --preset "$each"; done
try presets config presets
try presets-json config presets --json
try config-diff config show --preset cifar10 --sgld-steps 40 --set model.norm=batch --diff
try config-file config show --config mine.yaml --json
before config-file 'printf "optim:\n  lr: 0.01\ndata:\n  name: svhn\n" >mine.yaml'
try version version
try version-json version --json
try devices devices --json
try data-list data list --json
try data-verify data verify fashion-mnist
try memory bench memory --model wrn-16-2 --batch 16 --json "${device[@]}"
try selftest selftest --short --json "${device[@]}"
try selftest-bf16 selftest --short --json --only conv --cpu-isa avx512 --precision bf16 --threads 2 --conv-algo winograd
try golden selftest --golden source/train/replay/testdata/jem_sgd_wrn16_1.json "${device[@]}" --json
try golden-figures selftest --golden source/internal/metrics/testdata/metrics.json --json
try man man
for each in bash zsh fish; do try "completion-$each" completion "$each"; done
for each in "" train reproduce eval attack compare sample score convert checkpoint data config selftest bench devices completion man version; do
    try "help-${each:-jem}" $each --help
done
for each in "checkpoint list" "checkpoint verify" "data list" "data verify" "data fetch" "config show" "config presets" \
    "bench step" "bench growth" "bench memory" "bench layers" "bench kernels"; do
    try "help-${each/ /-}" $each --help
done

# ---- Mistakes: exit codes and what is said

mistake() { try "mistake-$1" "${@:2}"; }

copy='cp -r out/train-pictures @'
weights=checkpoints/step-00000012/model.safetensors
for each in train eval attack sample score convert compare reproduce; do mistake "bare-$each" "$each"; done
mistake command trian
mistake flag train --stepz 3
mistake number eval --run out/train-pictures --limit many
mistake key train "${small[@]}" --set optim.rl=1 --out @
mistake value train "${small[@]}" --set model.norm=bach --out @
mistake range train "${small[@]}" --set optim.lr=-1 --out @
mistake depth train "${small[@]}" --set model.depth=11 --out @
mistake preset config show --preset cifar11
mistake yaml config show --config broken.yaml
before mistake-yaml 'printf "optim: [1\n" >broken.yaml'
mistake yaml-key config show --config key.yaml
before mistake-yaml-key 'printf "optim:\n  rate: 1\n" >key.yaml'
mistake no-data train --preset cifar10-small --data-dir out --out @ --steps 1
mistake wrong-data train --preset fashion-demo --data-dir pictures --out @ --steps 1
mistake cut-data train --preset fashion-demo --data-dir cut --out @ --steps 1
before mistake-cut-data 'mkdir -p cut/fashion-mnist && for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do echo cut >cut/fashion-mnist/$f-ubyte; done'
mistake bad-picture train "${small[@]}" --data-dir bad --out @
before mistake-bad-picture 'mkdir -p bad/a bad/b && cp pictures/train/disc/*.png bad/a && cp pictures/train/corner/*.png bad/b && echo no >bad/b/00.png'
mistake empty-folder train "${small[@]}" --data-dir void --out @
before mistake-empty-folder 'mkdir -p void'
mistake there train "${small[@]}" --steps 1 --out out/train-pictures
mistake changed train --resume @ --allow-changes --set model.depth=16
before mistake-changed "$copy"
mistake unallowed train --resume @ --steps 20
before mistake-unallowed "$copy"
mistake no-run eval --run pictures
mistake no-run-checkpoint checkpoint list pictures
mistake nowhere eval --run out/nowhere
mistake task eval --run out/train-pictures --task accuracies
mistake split eval --run out/train-pictures --split tests
mistake ood eval --run out/train-pictures --task ood --ood svnh
mistake ood-missing eval --run out/train-pictures --task ood --ood cifar100 --data-dir pictures
mistake score eval --run out/train-pictures --task ood --ood uniform --scores pz
mistake class sample --run out/train-pictures --class cat --out @
mistake classifier eval --run out/train-pictures --task samples --classifier pictures
mistake inception eval --run out/train-pictures --task samples --count 10 "${device[@]}"
mistake attack attack --run out/train-pictures --attack pdg
mistake transfer attack --run out/train-pictures --from out/train-demo --limit 2 "${device[@]}"
mistake picture score --model out/train-pictures --input mine.txt
before mistake-picture 'echo text >mine.txt'
mistake model score --model mine.pt --input pictures/test/disc
before mistake-model 'echo text >mine.pt'
mistake format convert out/train-pictures model.h5
mistake norm convert --norm groups out/train-pictures model.pt
mistake convert-back convert out/convert-pt/model.pt @
mistake no-folder sample --run out/train-pictures -n 1 --steps 1 --out nowhere/samples.png "${device[@]}"
mistake fresh sample --run out/train-pictures -n 1 --steps 1 --fresh --out @/samples.png "${device[@]}"
mistake metric compare --run out/train-pictures --metric los
mistake isa eval --run out/train-pictures --cpu-isa sse2
mistake device eval --run out/train-pictures --device tpu
mistake cuda eval --run out/train-pictures --device cuda
mistake threads eval --run out/train-pictures --threads -1
mistake algorithm train "${small[@]}" --conv-algo fft --out @
mistake table reproduce table9
mistake truncated eval --run @ "${device[@]}"
before mistake-truncated "$copy && truncate -s 1000 @/$weights"
mistake damaged checkpoint verify @
before mistake-damaged "$copy && truncate -s 1000 @/$weights"
mistake not-a-number score --model nan.safetensors --input pictures/test/disc "${device[@]}"
before mistake-not-a-number './jem convert --quiet --no-buffer out/train-pictures nan.safetensors &&
    printf "\xff\xff\xff\x7f" | dd of=nan.safetensors bs=1 seek=$(($(wc -c <nan.safetensors) - 4)) conv=notrunc status=none'
mistake full train "${small[@]}" --steps 1 --out /dev/null/run

# ---- The paper's tables

try plan reproduce all --scale smoke --only-ready --out @ "${device[@]}"
try reproduce-distal reproduce distal --scale smoke --out @ "${device[@]}"
if [[ -n $reproduce ]]; then
    try reproduce-all reproduce all --scale smoke --out @ "${device[@]}"
fi
