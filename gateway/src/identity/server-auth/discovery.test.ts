import { describe, expect, test } from 'vitest'
import { issuerAddresses } from './issuer-metadata.ts'
import { metadataAddresses, namesServer } from './resource-metadata.ts'
import { canonicalAddress, discoverServer, type Discovered } from './server-discovery.ts'
import { issuerDocument, startScripted, type Answers } from './scripted-issuer.fixture.ts'

const none = { resourceMetadata: undefined }

describe('where a server describes itself', () => {
  test('is asked where the server says, then below its path, then at its root', () => {
    expect(metadataAddresses('https://a.example/v1/mcp/', { resourceMetadata: 'https://a.example/x' })).toEqual([
      'https://a.example/x',
      'https://a.example/.well-known/oauth-protected-resource/v1/mcp',
      'https://a.example/.well-known/oauth-protected-resource',
    ])
    expect(metadataAddresses('https://a.example/', none)).toEqual(['https://a.example/.well-known/oauth-protected-resource'])
  })

  test.each([
    ['itself', 'https://a.example/mcp', true],
    ['itself, with a slash', 'https://a.example/mcp/', true],
    ['what is above it', 'https://a.example', true],
    ['something below it', 'https://a.example/mcp/other', false],
    ['something that begins alike', 'https://a.example/mc', false],
    ['another host', 'https://b.example/mcp', false],
    ['another port', 'https://a.example:8443/mcp', false],
    ['another scheme', 'http://a.example/mcp', false],
    ['no address', 'mcp', false],
    ['another query', 'https://a.example/mcp?tenant=2', false],
  ])('and may say that it is %s: %s', (_what, resource, may) => {
    expect(namesServer(resource, 'https://a.example/mcp')).toBe(may)
  })
})

test('an issuer with a path describes itself at three places, one without at two', () => {
  expect(issuerAddresses('https://as.example/tenant')).toEqual([
    'https://as.example/.well-known/oauth-authorization-server/tenant',
    'https://as.example/.well-known/openid-configuration/tenant',
    'https://as.example/tenant/.well-known/openid-configuration',
  ])
  expect(issuerAddresses('https://as.example/')).toEqual([
    'https://as.example/.well-known/oauth-authorization-server',
    'https://as.example/.well-known/openid-configuration',
  ])
})

test('tokens name a server by its address without a fragment, and without a path that is none', () => {
  expect(canonicalAddress('https://A.example:443/')).toBe('https://a.example')
  expect(canonicalAddress('https://a.example/mcp?x=1#f')).toBe('https://a.example/mcp?x=1')
})

describe('from a server to who issues tokens for it', () => {
  const reach = { allowHttp: true, allowPrivate: false, trusted: [] }
  const find = (url: string, options: { allowed?: string[]; preferred?: string[]; named?: string } = {}): Promise<Discovered | undefined> =>
    discoverServer({
      url,
      challenge: { resourceMetadata: options.named },
      allowed: options.allowed ?? [],
      preferred: options.preferred ?? [],
      reach,
      signal: AbortSignal.timeout(5000),
    })
  const protectedBy =
    (
      issuers: (origin: string) => readonly string[],
      origin: () => string,
      document: (issuer: string) => unknown = issuerDocument,
    ): Answers =>
    ({ path }) => {
      if (path === '/.well-known/oauth-protected-resource/mcp')
        return { body: { resource: `${origin()}/mcp`, authorization_servers: issuers(origin()), scopes_supported: ['read'] } }
      const [, issuer] = /^\/\.well-known\/oauth-authorization-server(.*)$/.exec(path) ?? []
      return issuer === undefined ? undefined : { body: document(`${origin()}${issuer}`) }
    }

  test('both documents are read; what the server is called and its scopes come along', async () => {
    await using there = await startScripted(
      protectedBy(
        (origin) => [`${origin}/as`],
        () => there.origin,
      ),
    )
    const found = await find(`${there.origin}/mcp`)
    expect(found).toMatchObject({ resource: `${there.origin}/mcp`, scopes: ['read'], issuer: { issuer: `${there.origin}/as` } })
  })

  test('an issuer whose document says that it is another one is not used, be it by a slash', async () => {
    for (const other of ['https://evil.example', '/'] as const) {
      await using there = await startScripted(
        protectedBy(
          (origin) => [`${origin}/as`],
          () => there.origin,
          (issuer) => issuerDocument(other === '/' ? `${issuer}/` : other),
        ),
      )
      await expect(find(`${there.origin}/mcp`)).rejects.toThrow('says that it is another one')
    }
  })

  test('of several issuers the one that knows the gateway is used, and none that is not allowed', async () => {
    await using there = await startScripted(
      protectedBy(
        (origin) => [`${origin}/one`, `${origin}/two`],
        () => there.origin,
      ),
    )
    const url = `${there.origin}/mcp`
    expect((await find(url, { preferred: [`${there.origin}/two`] }))?.issuer.issuer).toBe(`${there.origin}/two`)
    expect((await find(url, { allowed: [`${there.origin}/two`] }))?.issuer.issuer).toBe(`${there.origin}/two`)
    await expect(find(url, { allowed: ['https://as.example'] })).rejects.toThrow('`issuers`')
  })

  test('a server that says it is another one has no token made for it', async () => {
    await using there = await startScripted(() => ({
      body: { resource: 'https://bank.example/', authorization_servers: ['https://as.example'] },
    }))
    await expect(find(`${there.origin}/mcp`)).rejects.toThrow('another one (`resource`)')
  })

  test('an address that the server names and that leads into a network of ours is not asked', async () => {
    await using there = await startScripted(() => undefined)
    await expect(find(`${there.origin}/mcp`, { named: 'https://169.254.169.254/latest/meta-data' })).rejects.toThrow('never asked')
    expect(there.seen).toEqual([])
  })

  test('a server of 2025-03-26 has its authorization server at its own origin', async () => {
    await using there = await startScripted(({ path }) =>
      path === '/.well-known/oauth-authorization-server' ? { body: issuerDocument(there.origin) } : undefined,
    )
    expect(await find(`${there.origin}/mcp`)).toMatchObject({ resource: `${there.origin}/mcp`, issuer: { issuer: there.origin } })
  })

  test('a server that says nothing has none', async () => {
    await using there = await startScripted(() => undefined)
    expect(await find(`${there.origin}/mcp`)).toBeUndefined()
  })
})
