"""When a rollout goes on, waits or ends: pure rules, without a clock, a table or NumPy."""
