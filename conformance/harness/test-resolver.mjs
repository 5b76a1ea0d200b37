/**
 * A name server of a test's own, loaded into the gateway before anything else (`--import`): names of `TEST_NAMES`, a JSON
 * object of name -> answers one after the other, each a list of addresses; the last one stays. Other names are the system's.
 */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { isIPv6 } from 'node:net'

const names = new Map(Object.entries(JSON.parse(process.env['TEST_NAMES'] ?? '{}')))

function answerTo(name) {
  const answers = names.get(name.toLowerCase().replace(/\.$/, ''))
  const addresses = answers?.length > 1 ? answers.shift() : answers?.[0]
  return addresses?.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
}

const systemLookup = dns.lookup
const systemPromise = dns.promises.lookup

dns.lookup = (name, ...rest) => {
  const [options, callback] = rest.length === 1 ? [{}, rest[0]] : rest
  const answer = answerTo(name)
  if (answer === undefined) return systemLookup(name, options, callback)
  process.nextTick(() => (options?.all === true ? callback(null, answer) : callback(null, answer[0]?.address, answer[0]?.family)))
}
dns.promises.lookup = async (name, options) => {
  const answer = answerTo(name)
  if (answer === undefined) return systemPromise(name, options)
  return options?.all === true ? answer : answer[0]
}
syncBuiltinESMExports()
