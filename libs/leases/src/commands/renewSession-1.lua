--[[
  Renews one session and tells which sessions of its kind are alive. Sessions that ran out are forgotten; a forgotten one
  is not renewed but told so, each time until it begins anew: an answer that its process never gets changes nothing.

  KEYS[1]  cf:session:<kind>   sorted set: instance -> when it runs out, Redis's clock, milliseconds

  ARGV[1]  instance
  ARGV[2]  time to live, milliseconds
  ARGV[3]  1: it begins (anew); 0: it goes on

  Output   { 1 or 0: it is alive now, { the instances alive, sorted by name } }
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local isAlive = ARGV[3] == '1' or redis.call('ZSCORE', KEYS[1], ARGV[1])
if isAlive then
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
end
local alive = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(alive)
return { isAlive and 1 or 0, alive }
