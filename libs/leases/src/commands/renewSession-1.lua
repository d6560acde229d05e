--[[
  Renews one session and tells which sessions of its kind are alive. Sessions that ran out are forgotten.

  KEYS[1]  cf:session:<kind>   sorted set: instance -> when it runs out, Redis's clock, milliseconds

  ARGV[1]  instance
  ARGV[2]  time to live, milliseconds

  Output   { 1 or 0: its session had not run out, { the instances alive, sorted by name } }
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local alive = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(alive)
return { known and 1 or 0, alive }
