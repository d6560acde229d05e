--[[
  Gives a lease up for another owner to take at once. Its epoch stays, so that the next one's is higher.

  KEYS[1]  cf:lease:{<what>}

  ARGV[1]  owner
  ARGV[2]  epoch

  Output   1 when given up, 0 when it was somebody else's already
]]
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] and redis.call('HGET', KEYS[1], 'epoch') == ARGV[2] then
  return redis.call('HDEL', KEYS[1], 'owner')
end
return 0
