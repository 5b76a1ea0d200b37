import { createServer, type Server } from 'node:http'
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import type { Store } from '../../store/store.ts'
import { testClock } from '../identity-parts.fixture.ts'
import { sealingKeys } from './sealing-keys.ts'
import { createVault, type Vault } from './vault.ts'

type Settings = Parameters<typeof sealingKeys>[0]

const one = randomBytes(32).toString('base64')
const other = randomBytes(32).toString('hex')
const ofAlice = { kind: 'provider', owner: 'alice', name: 'openai' }

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('a secret in the vault', () => {
    let stores: TestStores
    let store: Store
    let clock: ReturnType<typeof testClock>
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
      clock = testClock()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const vaultWith = (settings?: Settings, { secrets, secret } = store): Vault =>
      createVault({ secrets, keys: () => sealingKeys(settings, secret), clock })

    test('comes out as it went in, for its place and no other, and is not in the store in clear', async () => {
      const vault = vaultWith({ key: one, previous_keys: [] })
      const made = await vault.put(ofAlice, 'sk-of-alice', 5)
      expect(await vaultWith({ key: one, previous_keys: [] }).get(ofAlice)).toEqual({
        id: made.id,
        content: 'sk-of-alice',
        version: 1,
        expires: 5,
      })
      for (const place of [
        { ...ofAlice, owner: 'bob' },
        { ...ofAlice, kind: 'link' },
        { ...ofAlice, name: 'azure' },
      ])
        expect(await vault.get(place)).toBeUndefined()
      const rows = JSON.stringify(await store.secrets.list({}))
      expect(rows).not.toContain('sk-of-alice')
      expect(rows).not.toContain(Buffer.from('sk-of-alice').toString('base64url'))
      expect(JSON.stringify(await vault.list())).not.toContain('data')
    })

    test('is sealed anew at each change, and keeps its id', async () => {
      const vault = vaultWith()
      const first = await vault.put(ofAlice, 'same')
      const before = await store.secrets.find(ofAlice)
      clock.advance(10)
      const second = await vault.put(ofAlice, 'same')
      const after = await store.secrets.find(ofAlice)
      expect([second.id, second.version, second.changed - first.changed]).toEqual([first.id, 2, 10])
      expect([after?.content === before?.content, after?.dataKey === before?.dataKey]).toEqual([false, false])
    })

    test('that was moved to another place by whoever can write to the store cannot be opened', async () => {
      const vault = vaultWith()
      await vault.put(ofAlice, 'sk-of-alice')
      const row = await store.secrets.find(ofAlice)
      if (row === undefined) throw new Error('there is none')
      await store.secrets.remove(ofAlice)
      await store.secrets.write({ ...row, owner: 'mallory' }, 0)
      await expect(vaultWith().get({ ...ofAlice, owner: 'mallory' })).rejects.toMatchObject({ code: 'vault.sealed' })
    })

    test('is changed by one of several that have read the same version', async () => {
      const vault = vaultWith()
      const { version } = await vault.put(ofAlice, 'first')
      const changes = await Promise.all(['a', 'b', 'c'].map((content) => vaultWith().replace(ofAlice, version, content)))
      expect(changes.filter((change) => change !== undefined)).toHaveLength(1)
      expect((await vault.get(ofAlice))?.version).toBe(2)
      expect(await vault.replace({ ...ofAlice, name: 'new' }, 1, 'x')).toBeUndefined()
      expect(await vault.replace({ ...ofAlice, name: 'new' }, 0, 'x')).toMatchObject({ version: 1 })
    })

    test('can be read with an earlier key until it is sealed with the present one, and not without', async () => {
      await vaultWith({ key: one, previous_keys: [] }).put(ofAlice, 'old')
      const renewed = vaultWith({ key: other, previous_keys: [one] })
      expect(await renewed.get(ofAlice)).toMatchObject({ content: 'old' })
      await expect(vaultWith({ key: other, previous_keys: [] }).get(ofAlice)).rejects.toMatchObject({
        code: 'vault.sealed',
        message: expect.stringContaining('not configured') as string,
      })
      expect(await vaultWith({ key: other, previous_keys: [] }).rewrap()).toMatchObject({ rewrapped: 0, lost: [{}] })
      expect(await renewed.rewrap()).toEqual({ rewrapped: 1, current: 0, lost: [] })
      expect(await renewed.rewrap()).toEqual({ rewrapped: 0, current: 1, lost: [] })
      expect(await vaultWith({ key: other, previous_keys: [] }).get(ofAlice)).toMatchObject({ content: 'old' })
    })

    test('is listed by its owner, and gone when it was removed', async () => {
      const vault = vaultWith()
      await vault.put(ofAlice, 'a')
      await vault.put({ ...ofAlice, owner: 'group:staff' }, 'b')
      expect((await vault.list({ owner: 'alice' })).map(({ owner, name }) => [owner, name])).toEqual([['alice', 'openai']])
      expect([await vault.remove(ofAlice), await vault.remove(ofAlice), await vault.get(ofAlice)]).toEqual([true, false, undefined])
    })

    test('longer than a secret can be is refused', async () => {
      await expect(vaultWith().put(ofAlice, 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'request.invalid' })
    })
  })
})

describe('with a transit engine', () => {
  let engine: Server
  let asked: { path: string; token: string | undefined }[]
  let sealed: string[]
  let isUp: boolean
  beforeEach(async () => {
    asked = []
    sealed = []
    isUp = true
    engine = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        asked.push({ path: request.url ?? '', token: request.headers['x-vault-token'] as string })
        const body = JSON.parse(Buffer.concat(parts).toString()) as { plaintext?: string; ciphertext?: string }
        if (body.plaintext !== undefined) sealed.push(body.plaintext)
        const data =
          body.plaintext === undefined
            ? { plaintext: Buffer.from(body.ciphertext?.slice('vault:v1:'.length) ?? '', 'hex').toString() }
            : { ciphertext: `vault:v1:${Buffer.from(body.plaintext).toString('hex')}` }
        response.writeHead(isUp ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify({ data }))
      })
    })
    await new Promise<void>((resolve) => {
      engine.listen(0, '127.0.0.1', resolve)
    })
  })
  afterEach(() => {
    engine.close()
  })

  test('data keys are sealed there, opened once for many uses, and a secret says so when it cannot be asked', async () => {
    const [sqlite] = storeBackends
    if (sqlite === undefined) throw new Error('there is no store')
    await using stores = await sqlite.make()
    const store = await stores.open()
    const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`
    const settings: Settings = {
      previous_keys: [],
      transit: { url, key: 'turnward', token: 'token-of-vault', mount: 'transit', timeout_ms: 5000 },
    }
    const keys = sealingKeys(settings, store.secret)
    const make = (): Vault => createVault({ secrets: store.secrets, keys: () => keys, clock: testClock() })
    const vault = make()
    await vault.put(ofAlice, 'sk-of-alice')
    for (let use = 0; use < 3; use += 1) expect(await vault.get(ofAlice)).toMatchObject({ content: 'sk-of-alice' })
    expect(asked).toEqual([
      { path: '/v1/transit/encrypt/turnward', token: 'token-of-vault' },
      { path: '/v1/transit/decrypt/turnward', token: 'token-of-vault' },
    ])
    await vault.put(ofAlice, 'sk-of-alice')
    expect(new Set(sealed.map((text) => Buffer.from(text, 'base64').subarray(0, 32).toString('hex'))).size).toBe(2)
    isUp = false
    const error = await make()
      .get(ofAlice)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'vault.unreachable', message: expect.stringContaining('503') as string })
    expect(JSON.stringify(error)).not.toContain('token-of-vault')
  })
})
