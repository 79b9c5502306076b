"""Runs an unpacked OCI image with a read-only root, in a runtime or, where none works, in a bare chroot.

  bundle.py about BUNDLE                    user, entry point, stop signal and labels, one a line
  bundle.py run ENGINE BUNDLE ID [option]… -- ARGUMENT…

ENGINE is runc, crun or chroot. Options: --entrypoint PROGRAM, --mount FROM:TO (writable), --read FROM:TO, --tmpfs TO,
--memory BYTES, --env NAME=VALUE. The image's own entry point, user and environment hold otherwise. The process
becomes the engine's.
"""
import argparse
import json
import os
import sys


def load(bundle):
    original = os.path.join(bundle, "config.json.unpacked")
    if not os.path.exists(original):
        os.rename(os.path.join(bundle, "config.json"), original)
    with open(original) as f:
        return json.load(f)


def about(bundle):
    config = load(bundle)
    process, notes = config["process"], config.get("annotations", {})
    print("user", f"{process['user']['uid']}:{process['user']['gid']}")
    print("entrypoint", *process["args"])
    for key in sorted(notes):
        print(key, notes[key])


def bind(pair, *options):
    source, _, destination = pair.partition(":")
    return {"destination": destination, "type": "bind", "source": os.path.abspath(source), "options": ["rbind", *options]}


def prepare(options):
    config = load(options.bundle)
    process = config["process"]
    process["terminal"] = False
    process["args"] = ([options.entrypoint] if options.entrypoint else process["args"]) + options.arguments
    process["env"] += options.env
    config["root"]["readonly"] = True
    config["mounts"] += [bind(pair, "rw") for pair in options.mount] + [bind(pair, "ro") for pair in options.read]
    config["mounts"] += [{"destination": to, "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]} for to in options.tmpfs]
    if options.memory:
        config["linux"]["resources"]["memory"] = {"limit": options.memory}
    with open(os.path.join(options.bundle, "config.json"), "w") as f:
        json.dump(config, f)
    return config


def chroot(options, config):
    """Namespaces for processes and mounts, a root that can't be written to, another user. No limits, no devices of its own."""
    root = os.path.join(os.path.abspath(options.bundle), "rootfs")
    lines = ["set -e", f"mount --bind '{root}' '{root}'"]
    for m in config["mounts"]:
        to = root + m["destination"]
        if m["type"] == "bind":
            lines += [f"mkdir -p '{to}'", f"mount --bind '{m['source']}' '{to}'"]
        elif m["destination"] in ["/proc", *options.tmpfs]:
            lines += [f"mkdir -p '{to}'", f"mount -t {m['type']} none '{to}'"]
    lines += [f"chmod 1777 '{root}{to}'" for to in options.tmpfs]
    user = config["process"]["user"]
    lines += [f"mount -o remount,ro,bind '{root}'", f"exec chroot --groups= --userspec={user['uid']}:{user['gid']} '{root}' \"$@\""]
    variables = dict(pair.split("=", 1) for pair in config["process"]["env"])
    os.environ.update({name: value for name, value in variables.items() if name != "PATH"})  # which unshare and mount need
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "\n".join(lines), "sh", *config["process"]["args"]])


def main():
    if sys.argv[1] == "about":
        return about(sys.argv[2])
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("engine")
    parser.add_argument("bundle")
    parser.add_argument("id")
    parser.add_argument("--entrypoint")
    parser.add_argument("--memory", type=int)
    for name in ("mount", "read", "tmpfs", "env"):
        parser.add_argument("--" + name, action="append", default=[])
    split = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:split])
    options.arguments = sys.argv[split + 1:]
    config = prepare(options)
    if options.engine == "chroot":
        chroot(options, config)
    state = os.path.join(os.path.dirname(os.path.abspath(options.bundle)), options.engine + "-state")
    os.execvp(options.engine, [options.engine, "--root", state, "run", "--bundle", options.bundle, options.id])


main()
