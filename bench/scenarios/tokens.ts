/** What a token of an issuer costs over a virtual key, when it was seen before and when it was not. */
import { importJWK, jwtVerify } from 'jose'
import { configSchema } from '../../contract/src/config.ts'
import { compileSnapshot } from '../../gateway/src/config/compile.ts'
import { systemClock } from '../../gateway/src/core/clock.ts'
import { silentLogger } from '../../gateway/src/core/logger.ts'
import { Issuers } from '../../gateway/src/identity/ways/token/issuers.ts'
import { createTokenWay } from '../../gateway/src/identity/ways/token/token-way.ts'
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { freshChats } from '../requests.ts'
import { atMost, type Row } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { startTokenIssuer, type TokenIssuer } from '../servers/token-issuer.ts'
import { median, round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const connections = 16

const issuersOf = ({ url }: TokenIssuer): object => ({
  acme: { issuer: url, jwks_uri: `${url}/keys`, allow_http: true, audiences: ['turnward'], algorithms: ['ES256'], user: 'email' },
})

export const tokens: Scenario = {
  name: 'tokens',
  async run(bench) {
    const issuer = await startTokenIssuer()
    try {
      return [await warm(bench, issuer), await cold(bench, issuer)]
    } finally {
      await issuer.close()
    }
  },
}

/** The same calls with a key and with a token, at one gateway. */
async function warm(bench: Bench, issuer: TokenIssuer): Promise<Row> {
  const vendor = await bench.keep(startVendor())
  const gateway = await bench.keep(startGateway({ vendor: vendor.url, more: { identity: { issuers: issuersOf(issuer) } } }))
  const contestant = (name: string, headers: Record<string, string>) => ({
    name,
    process: gateway,
    url: gateway.url,
    request: freshChats('bench-json', 'gateway', connections, headers),
    marker: 'chatcmpl-bench',
  })
  const [key, token] = await compare(
    [contestant('key', {}), contestant('token', { authorization: `Bearer ${issuer.token()}` })],
    { connections },
    bench.pace,
  )
  if (key === undefined || token === undefined) throw new Error('nothing was measured')
  const detail = `${round(token.cpuMicros, 0)} against ${round(key.cpuMicros, 0)} us a call`
  return atMost('token seen before: CPU over a virtual key', token.cpuMicros - key.cpuMicros, 40, 'us', detail)
}

/** A token that nobody has seen, against what the library takes for its signature and claims. CPU of all threads of this process. */
async function cold({ quick }: Bench, issuer: TokenIssuer): Promise<Row> {
  const [rounds, each] = quick ? [3, 300] : [9, 1000]
  const key = await importJWK(issuer.publicJwk, 'ES256')
  const config = configSchema.parse({ principals: { mara: { emails: ['mara@acme.example'] } }, identity: { issuers: issuersOf(issuer) } })
  const snapshot = compileSnapshot(config, { files: [], dataDir: '/' })
  const mara = snapshot.principals.get('mara')
  if (mara === undefined) throw new Error('nobody is there')
  const people = { principalOf: () => mara, principal: () => mara, roles: async () => [] }
  const way = createTokenWay({
    issuers: new Issuers({ clock: systemClock, logger: silentLogger, count: () => {} }),
    people,
    clock: systemClock,
    revocations: { revokedAt: () => undefined },
  })
  const bare = (token: string): Promise<unknown> =>
    jwtVerify(token, key, { algorithms: ['ES256'], issuer: issuer.url, audience: 'turnward', typ: 'at+jwt' })
  const ours = async (token: string): Promise<unknown> => way.find({ headers: { authorization: `Bearer ${token}` } }, snapshot)
  const taken: { bare: number[]; ours: number[] } = { bare: [], ours: [] }
  for (let turn = 0; turn <= rounds; turn += 1) {
    for (const [name, verify] of [['bare', bare] as const, ['ours', ours] as const]) {
      const all = Array.from({ length: each }, issuer.token)
      const before = process.cpuUsage()
      for (const token of all) await verify(token)
      const { user, system } = process.cpuUsage(before)
      // The first turn warms up.
      if (turn > 0) taken[name].push((user + system) / each)
    }
  }
  const [own, library] = [median(taken.ours), median(taken.bare)]
  return atMost('token not seen before: CPU against bare jose', own / library, 1.5, 'x', `${round(own, 0)} against ${round(library, 0)} us`)
}
