--[[
  Says again that a lease is its owner's, after Redis may have lost it. What another has taken meanwhile stays the other's.

  KEYS[1]  cf:lease:{<what>}   hash: owner, epoch

  ARGV[1]  owner
  ARGV[2]  epoch
  ARGV[3]  time to live, milliseconds

  Output   1 when it is the owner's, 0 when it is another's
]]
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then
  return 0
end
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0)
if not owner and epoch > tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
