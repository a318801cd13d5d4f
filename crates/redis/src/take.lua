-- A sliding window: takes one if fewer than `limit` were taken within it.
-- key      sorted set: each request that was let through, by its microsecond
-- then     now, window (both in microseconds), limit, a name for this request
-- Answers  whether it may pass, how many are taken, the oldest one's microsecond
local function take(key, now, window, limit, name)
  local stamp = string.format('%.0f', now)

  -- A clock that stepped back must not shut anybody out for long: what was taken
  -- more than a window in the future counts as taken now. Less than that is how
  -- far the clocks of instances may be apart.
  local far = string.format('(%.0f', now + window)
  for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', key, far, '+inf')) do
    redis.call('ZADD', key, stamp, ahead)
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))

  local taken = redis.call('ZCARD', key)
  local allowed = taken < limit
  if allowed then
    redis.call('ZADD', key, stamp, stamp .. '-' .. name)
    redis.call('PEXPIRE', key, math.ceil(window / 1000))
    taken = taken + 1
  end
  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or stamp
  return { allowed and 1 or 0, taken, string.format('%.0f', tonumber(oldest)) }
end
