--[[
  KEYS[1]  cf:session:<kind>

  ARGV[1]  instance

  Output   1 when its session has not run out, else 0
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local runsOut = redis.call('ZSCORE', KEYS[1], ARGV[1])
if runsOut and tonumber(runsOut) > now then
  return 1
end
return 0
