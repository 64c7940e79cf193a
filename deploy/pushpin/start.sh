#!/bin/sh
# Starts Pushpin (Debian's packages pushpin, condure and zurl) with the settings beside this file. From the environment:
#
# GRIP_KEY              the key with which it signs: 32 or more letters and digits (SPIN_VARIABLE_GRIP_KEY counts too)
# PUSHPIN_TARGET        host:port of the service
# PUSHPIN_LISTEN        host:port for clients (0.0.0.0:7999)
# PUSHPIN_CONTROL       host:port for the relay, which nothing else may reach (127.0.0.1:5561)
# PUSHPIN_FORWARDED_FOR what becomes of X-Forwarded-For (truncate:0,append: no proxy in front is believed)
# PUSHPIN_HOME          a folder of its own, with a short path (/run/pushpin)
# PUSHPIN               the program (pushpin)
set -eu
umask 077

key=${GRIP_KEY:-${SPIN_VARIABLE_GRIP_KEY:-}}
case $key in
*[!A-Za-z0-9]*) key= ;;
esac
if [ ${#key} -lt 32 ]; then
    echo 'GRIP_KEY has to have 32 or more letters and digits' >&2
    exit 64
fi
target=${PUSHPIN_TARGET:?names no host:port of the service}
listen=${PUSHPIN_LISTEN:-0.0.0.0:7999}
control=${PUSHPIN_CONTROL:-127.0.0.1:5561}
forwarded_for=${PUSHPIN_FORWARDED_FOR:-truncate:0,append}
home=${PUSHPIN_HOME:-/run/pushpin}
here=$(dirname "$0")

mkdir -p "$home/lib/runner" "$home/run" "$home/log"
# The package's own services are not used: their zurl refuses private addresses.
sed 's|ipc:///var/run/zurl/|ipc://{rundir}/{ipc_prefix}|' /usr/lib/pushpin/internal.conf >"$home/lib/internal.conf"
cp "$here/zurl.conf" "$home/lib/runner/zurl.conf.template"
echo "* $target,over_http" >"$home/routes"
# The key is no argument of a program: others could read it.
while IFS= read -r line; do
    case $line in
    sig_key=*) line="sig_key=$key" ;;
    esac
    printf '%s\n' "$line"
done <"$here/pushpin.conf" | sed -e "s|@HOME@|$home|" -e "s|@LISTEN@|$listen|" \
    -e "s|@FORWARDED_FOR@|$forwarded_for|" \
    -e "s|@CONTROL_ADDRESS@|${control%:*}|" -e "s|@CONTROL_PORT@|${control##*:}|" >"$home/pushpin.conf"
exec "${PUSHPIN:-pushpin}" --config "$home/pushpin.conf" --merge-output
