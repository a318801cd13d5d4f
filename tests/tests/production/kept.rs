//! What is kept outside of the database, to be searched.

use portcullis_testkit::Redis;

/// Every key with what is in it.
const EVERYTHING: &str = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
    all[#all + 1] = key local kind = redis.call('TYPE', key).ok \
    if kind == 'string' then all[#all + 1] = redis.call('GET', key) \
    elseif kind == 'zset' then for _, one in ipairs(redis.call('ZRANGE', key, 0, -1)) do \
    all[#all + 1] = one end \
    elseif kind == 'hash' then for _, one in ipairs(redis.call('HGETALL', key)) do \
    all[#all + 1] = one end \
    else all[#all + 1] = 'unread: ' .. kind end end return table.concat(all, '\\n')";

/// All keys of Redis, and all that they hold.
pub(crate) fn all_of_redis(redis: &Redis) -> String {
    let all = redis.command(&["eval", EVERYTHING, "0"]);
    assert!(!all.contains("unread"), "{all}");
    all
}
