"""Runs a program at a terminal, answers its two prompts, and prints all that the terminal shows:

    terminal.py FIRST SECOND PROGRAM ARGUMENT...
"""
import os
import pty
import sys

answers = [answer.encode() + b"\n" for answer in sys.argv[1:3]]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[3], sys.argv[3:])

shown = b""
prompt = b""
while True:
    try:
        piece = os.read(terminal, 1000)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    prompt += piece
    if answers and prompt.endswith(b": "):
        os.write(terminal, answers.pop(0))
        prompt = b""
sys.stdout.write(shown.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
