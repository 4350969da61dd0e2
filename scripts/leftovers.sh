#!/usr/bin/env bash
# Prints what this program can leave on a machine: processes, mounts, bridges, nftables tables, cgroups. Nothing is good.
for exe in /proc/[0-9]*/exe; do
	target=$(readlink "$exe" 2>/dev/null) || continue
	case $target in
	*/bin/cd | */bin/timonier | *supervisor*) echo "process $(tr '\0' ' ' <"${exe%/exe}/cmdline" 2>/dev/null)" ;;
	esac
done
awk '$5 ~ /cd-data|cd-test|\/cd-/ { print "mount", $5 }' /proc/self/mountinfo
ip -o link show type bridge 2>/dev/null | awk -F': ' '$2 ~ /^cd-/ { print "bridge", $2 }'
nft list tables 2>/dev/null | awk '$3 ~ /^cd-/ { print "table", $3 }'
find /sys/fs/cgroup -maxdepth 4 -type d \( -path '*/cd/*' -o -name 'cd-*' \) 2>/dev/null | sed 's/^/cgroup /'
true
