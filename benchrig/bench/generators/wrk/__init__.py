"""The load generator wrk, whose scripts are Lua."""
