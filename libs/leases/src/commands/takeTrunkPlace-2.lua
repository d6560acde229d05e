--[[
  Takes one of a trunk's places for a call, if there is one and the trunk is not asked too fast. A call that has a place keeps
  it, whatever the bounds are. Places that nobody kept are free again.

  KEYS[1]  cf:trunk:{<trunk>}        sorted set: call -> when its place runs out, Redis's clock, milliseconds
  KEYS[2]  cf:trunk:{<trunk>}:pace   when the calls so far are due at an even pace, the same clock

  ARGV[1]  call
  ARGV[2]  time to live of the place, milliseconds
  ARGV[3]  places
  ARGV[4]  calls per second, and so many at once after a second without any; 0: as many as may be

  Output   'taken', 'full' or 'too-fast'
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
    return 'full'
  end
  local perSecond = tonumber(ARGV[4])
  if perSecond > 0 then
    local apart = 1000 / perSecond
    local due = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0)) + apart
    if due - now > math.max(1000, apart) + 0.001 then
      return 'too-fast'
    end
    redis.call('SET', KEYS[2], string.format('%.3f', due), 'PX', math.ceil(due - now))
  end
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'taken'
