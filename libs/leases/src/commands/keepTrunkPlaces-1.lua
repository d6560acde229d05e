--[[
  Says that calls are still on a trunk. One whose place Redis has lost gets it again, though there may be too many then: the
  call is there.

  KEYS[1]  cf:trunk:{<trunk>}   sorted set: call -> when its place runs out, Redis's clock, milliseconds

  ARGV[1]  time to live, milliseconds
  ARGV[2]  ... calls

  Output   how many calls are on the trunk
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for n = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[n])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])
