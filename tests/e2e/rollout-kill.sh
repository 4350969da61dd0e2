#!/usr/bin/env bash
# The server is killed (-9) at random moments of a canary and of a blue-green update: started again, it goes on from the same
# step, what it had acknowledged is done, and the weights in the kernel are those of the status.
#
#   KILLS=50 SEED=7 tests/e2e/rollout-kill.sh         so many kills for each strategy (10), at the moments of that seed
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
kills=${KILLS:-10} seed=${SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
say "seed $seed, $kills kills each"
serve >"$work/ready.log"
for v in 1 2; do
	busybox_image web:$v "ENTRYPOINT [\"/bin/sh\", \"-c\", \"mkdir -p /tmp/w && echo v$v >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w\"]"
done

# How the Rollout stands, with all that people have asked for and the controller has not yet done: what does not change
# while nothing is to be done.
stands() {
	"$cd_bin" get rollout web -o 'jsonpath={.metadata.generation} {.status.observedGeneration} {.spec.template.spec.containers[0].image} {.status.phase} {.status.message} step {.status.currentStepIndex} {.status.pauseConditions[0].reason} {.status.abort}' >"$work/stands" 2>&1 || return 1
	local generation observed rest
	read -r generation observed rest <"$work/stands"
	[ "$generation" = "$observed" ] && echo "$rest" || echo "at work"
}
rests() { # WANTED: a pattern
	local now
	now=$(stands) || { echo "no answer"; return 1; }
	# shellcheck disable=SC2053
	[[ $now == $1 ]] || { echo "want [$1] got [$now]"; return 1; }
}
weights_agree() {
	"$cd_bin" get rollout web -o json >"$work/rollout.json" && "$cd_bin" get pods -o json >"$work/pods.json" &&
		nft -j list ruleset >"$work/rules.json" &&
		python3 "$source_dir/tests/e2e/kernel-weights.py" "$work/rollout.json" "$work/pods.json" "$work/rules.json"
}
# WANTED COMMAND...: the server is killed while the command is at work or a little later; started again it comes to stand as
# wanted, and nowhere else. An order that the kill has cut off is given again.
turn() {
	local wanted=$1 before delay acknowledged=yes order; shift
	before=$(stands)
	delay=$((RANDOM % 250))
	"$@" >"$work/order.log" 2>&1 &
	order=$!
	pause "$(printf '0.%03d' $delay)"
	stop_server KILL
	wait $order || acknowledged=no
	serve >"$work/ready.log"
	poll 30 eval 'stands >"$work/now"'
	if [ "$(<"$work/now")" = "$before" ]; then
		[ $acknowledged = no ] || fail "lost, though it had been acknowledged: $*"
		"$@" >"$work/order.log" 2>&1 || fail "$(<"$work/order.log")"
	fi
	poll 60 rests "$wanted"
	poll 30 weights_agree
	done_kills=$((done_kills + 1))
	say "killed after $delay ms of: $* (acknowledged: $acknowledged); $(stands)"
}
versions() { expect "$1" eval '"$cd_bin" get replicasets -o json | python3 -c "import json, sys; print(len(json.load(sys.stdin)[\"items\"]))"'; }

say canary
{ cat "$source_dir/examples/rollouts/canary.yaml"; printf '      - setWeight: 100\n      - pause: {}\n'; } >"$work/canary.yaml"
sed -i 's/duration: 1m/duration: 1h/' "$work/canary.yaml"
"$cd_bin" apply -f "$work/canary.yaml"
poll 60 rests 'web:1 Healthy *'
image=1 done_kills=0
while [ $done_kills -lt $kills ]; do
	image=$((3 - image)) paused="web:$image Paused CanaryPauseStep step"
	cycle=("set-image web web=web:$image|$paused 1 CanaryPauseStep*" "promote web|$paused 3 CanaryPauseStep*"
		"abort web|web:$image Degraded RolloutAborted*step 0*true" "retry web|$paused 1 CanaryPauseStep*"
		"promote web|$paused 3 CanaryPauseStep*" "promote web|$paused 5 CanaryPauseStep*" "promote web|web:$image Healthy*step 6*")
	for entry in "${cycle[@]}"; do
		[ $done_kills -lt $kills ] || break
		# shellcheck disable=SC2086
		turn "${entry#*|}" "$cd_bin" rollout ${entry%%|*}
	done
done
versions 2
"$cd_bin" delete rollout/web service/web

say blue-green
sed 's/scaleDownDelaySeconds: 30/scaleDownDelaySeconds: 0/' "$source_dir/examples/rollouts/blue-green.yaml" | "$cd_bin" apply -f -
image=1 done_kills=0
poll 60 rests 'web:1 Healthy *'
while [ $done_kills -lt $kills ]; do
	image=$((3 - image)) paused="web:$image Paused BlueGreenPause step*BlueGreenPause*"
	cycle=("set-image web web=web:$image|$paused" "abort web|web:$image Degraded RolloutAborted*true" "retry web|$paused"
		"promote web|web:$image Healthy*")
	for entry in "${cycle[@]}"; do
		[ $done_kills -lt $kills ] || break
		# shellcheck disable=SC2086
		turn "${entry#*|}" "$cd_bin" rollout ${entry%%|*}
	done
done
poll 30 versions 2
say passed
