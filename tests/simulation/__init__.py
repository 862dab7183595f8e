"""The simulation: the real shell on virtual time, simulated platforms below it, seeded people, and every fault of the list.

loop.py a process's event loop on virtual time · world.py time and what is scheduled · process.py one run of the program ·
wire.py the platform and what goes wrong on the way · channel.py, desk.py the ports in front of it · people.py customers and
agents · scenario.py what a seed means · trouble.py faults of machines and disks · invariants.py, judge.py what must hold ·
run.py one seed · command.py ``hearout simulate`` · shrink.py the smallest failing scenario · mutants.py planted bugs.
"""
