"""How runs are made: what each is given, how it is recorded, judged and kept, each in a process of its own."""
