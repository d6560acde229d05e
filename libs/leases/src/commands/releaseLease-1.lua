--[[
  Gives a lease up, if it is still the owner's. What it was for is over, so its epoch goes with it.

  KEYS[1]  cf:lease:{<what>}

  ARGV[1]  owner
  ARGV[2]  epoch

  Output   1 when given up, 0 when it was somebody else's already
]]
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] and redis.call('HGET', KEYS[1], 'epoch') == ARGV[2] then
  return redis.call('DEL', KEYS[1])
end
return 0
