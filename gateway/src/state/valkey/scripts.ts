/**
 * What runs inside the server. A value is kept as one string: the versions of its newest writes, the last one first, a line
 * break, and its text; an empty text says that it was removed. The versions before the last one tell whether a write whose
 * answer was lost was made.
 */
import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  readonly sha: string
}

/** Versions that are kept with a value. */
export const versionsKept = 8
/** Milliseconds for which it is known that, and by which write, a value was removed. */
export const removedMs = 60_000

/** Stands for whatever version is there. */
export const anyVersion = '*'

/**
 * Writes all or nothing. KEYS: of the mark, then of the changes, then of the checks, then of what is read besides. ARGV: the
 * version of the write; how many changes, checks and topics there are; what stands in the mark; the topics; for each change
 * the expected version, the milliseconds it lives and the text (empty: remove it); for each check the expected version.
 * Gives 1 if it was made and 0 if not, and what is there: under the keys that are read if it was made, else under all. Gives 2
 * and the mark when that says something else.
 */
export const writeScript = scriptOf(`
local version = ARGV[1]
local changes, checks, topics = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at = 5 + topics
local mark = redis.call('GET', KEYS[1])
if mark ~= ARGV[5] then return { 2, { mark } } end
local held = {}
-- Lua hands over a few thousand values at once and no more.
for from = 2, #KEYS, 1000 do
  for _, value in ipairs(redis.call('MGET', unpack(KEYS, from, math.min(from + 999, #KEYS)))) do held[#held + 1] = value end
end
local before = {}
local differs, made = false, false
for i = 1, changes + checks do
  local value = held[i] or ''
  local stop = string.find(value, '\\n', 1, true)
  local versions = stop and string.sub(value, 1, stop - 1) or ''
  before[i] = versions
  local expected = i <= changes and ARGV[at + 3 * i - 2] or ARGV[at + 3 * changes + i - changes]
  local newest = string.match(versions, '^%S+') or ''
  if expected ~= '${anyVersion}' and newest ~= expected then differs = true end
  if i <= changes and string.find(' ' .. versions .. ' ', ' ' .. version .. ' ', 1, true) then made = true end
end
if differs and not made then return { 0, held } end
local reads = {}
for i = changes + checks + 1, #held do reads[#reads + 1] = held[i] end
if made then return { 1, reads } end
for i = 1, changes do
  local versions, count = version, 1
  for one in string.gmatch(before[i], '%S+') do
    if count < ${versionsKept} then versions = versions .. ' ' .. one end
    count = count + 1
  end
  local text = ARGV[at + 3 * i]
  redis.call('SET', KEYS[i + 1], versions .. '\\n' .. text, 'PX', text == '' and ${removedMs} or ARGV[at + 3 * i - 1])
end
for i = 1, topics do redis.call('PUBLISH', ARGV[5 + i], '') end
return { 1, reads }
`)

/**
 * Notes something of the server: ARGV[2] under KEYS[1], where ARGV[1] is noted (empty: nothing). With a third ARGV that
 * becomes the mark (KEYS[2]), if there is one. Gives whether it was noted.
 */
export const noteScript = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[3] and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('SET', KEYS[2], ARGV[3]) end
return 1`

function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
