"""Runs cells in Deno's kernel for Jupyter: notebook.py, with a JSON list of cells as input.

Prints a JSON list: for each cell its status, its text, and the types of what it displays. What a
cell shows may come after the kernel has said that the cell is over, but not after a later cell.
"""

import json
import sys

from jupyter_client.manager import start_new_kernel

LIMIT_SECONDS = 60
END = "that is all"

manager, client = start_new_kernel(kernel_name="deno", startup_timeout=LIMIT_SECONDS)
results = {}


def collect():
    """Takes what the kernel shows next; returns its text."""
    message = client.get_iopub_msg(timeout=LIMIT_SECONDS)
    content = message["content"]
    shown = ""
    cell = results.get(message["parent_header"].get("msg_id"), {"text": "", "types": []})
    if message["msg_type"] == "stream":
        shown = content["text"]
    elif message["msg_type"] in ("execute_result", "display_data"):
        cell["types"].extend(content["data"])
        shown = content["data"].get("text/plain", "")
    elif message["msg_type"] == "error":
        shown = content["ename"] + ": " + content["evalue"]
    cell["text"] += shown
    return shown


try:
    for source in json.load(sys.stdin):
        identity = client.execute(source)
        results[identity] = {"text": "", "types": []}
        reply = client.get_shell_msg(timeout=LIMIT_SECONDS)
        results[identity]["status"] = reply["content"]["status"]
    client.execute(f'console.log("{END}")')
    while END not in collect():
        pass
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(list(results.values())))
