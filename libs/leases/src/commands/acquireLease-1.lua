--[[
  Takes a lease that is free, or was held by an owner that is known to be lost. Taking it raises its epoch; taking it
  again as its owner does not.

  KEYS[1]  cf:lease:{<what>}   hash: owner, epoch

  ARGV[1]  new owner
  ARGV[2]  owner known to be lost, or ''
  ARGV[3]  an epoch that is known to have been: the new one is higher, even if Redis came back empty
  ARGV[4]  time to live, milliseconds: a bound on what a lost owner can leave behind

  Output   { owner, epoch } as they are now
]]
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] and owner ~= ARGV[2] then
  return { owner, tonumber(redis.call('HGET', KEYS[1], 'epoch')) }
end
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0)
if owner ~= ARGV[1] then
  epoch = math.max(epoch, tonumber(ARGV[3])) + 1
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', epoch)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { ARGV[1], epoch }
