import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../config/snapshot.ts'
import { silentLogger } from '../../core/logger.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import type { Store } from '../../store/store.ts'
import { principal, snapshotWith, testClock } from '../identity-parts.fixture.ts'
import { answerScim } from './answering-scim.ts'

const tokens = { okta: 'okta-token-that-is-longer-than-32-characters', entra: 'entra-token-that-is-longer-than-32-characters' }
const clock = testClock()

const snapshot = snapshotWith({
  principals: new Map([['declared', principal('declared', { issuer: 'acme', emails: ['boss@acme.example'] })]]),
  identity: {
    issuers: { acme: {}, other: {} },
    roles: {},
    scim: {
      okta: { token: tokens.okta, issuer: 'acme', user: 'userName' },
      entra: { token: tokens.entra, issuer: 'other', user: 'externalId' },
    },
  } as unknown as Snapshot['identity'],
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  // What a directory reads of it.
  readonly body: Body
}

type Body = Record<string, unknown> & { readonly id?: string; readonly Resources?: readonly Body[]; readonly members?: readonly Body[] }

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('SCIM', () => {
    let stores: TestStores
    let store: Store
    let server: Server
    let url: string
    beforeAll(async () => {
      stores = await make()
      store = await stores.open()
      const options = { store, snapshot: () => snapshot, clock, logger: silentLogger, publicUrl: () => 'https://turnward.example' }
      server = createServer((request, response) => {
        const rest = (request.url ?? '').split('?')[0]?.slice('/scim/v2/'.length) ?? ''
        answerScim(options, request, response, rest).catch(() => response.destroy())
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`
    })
    afterAll(async () => {
      server?.closeAllConnections()
      server?.close()
      await stores?.[Symbol.asyncDispose]()
    })

    async function ask(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
      token = tokens.okta,
    ): Promise<Answer> {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json; charset=utf-8', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, body: text === '' ? {} : (JSON.parse(text) as Body) }
    }
    const entra = (method: string, path: string, body?: unknown): Promise<Answer> => ask(method, path, body, {}, tokens.entra)
    const patch = (...Operations: readonly object[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
    const filter = (text: string): string => `?filter=${encodeURIComponent(text)}`
    const groupsOf = async (id: string) => (await store.people.find(id))?.groups.map(({ origin, group }) => `${origin} ${group}`)
    const made = async (userName: string, more: object = {}): Promise<string> => {
      const { status, body } = await ask('POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, ...more })
      expect(status).toBe(201)
      return body.id ?? ''
    }

    test('as Okta speaks it: a person is looked for, made, changed as a whole, deactivated and activated', async () => {
      const look = `/Users${filter('userName eq "Isaac@acme.example"')}&startIndex=1&count=100`
      expect((await ask('GET', look)).body).toEqual({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: 0,
        startIndex: 1,
        itemsPerPage: 0,
        Resources: [],
      })
      const user = {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: 'Isaac@acme.example',
        name: { givenName: 'Isaac', familyName: 'Brock' },
        emails: [{ primary: true, value: 'Isaac@acme.example', type: 'work' }],
        displayName: 'Isaac Brock',
        locale: 'en-US',
        externalId: '00ujl29u0le5T6Aj10h7',
        groups: [],
        password: '1mz050nq',
        active: true,
      }
      const created = await ask('POST', '/Users', user)
      const { id = '' } = created.body
      expect([created.status, created.headers.get('location'), created.headers.get('etag')]).toEqual([
        201,
        `https://turnward.example/scim/v2/Users/${id}`,
        'W/"1"',
      ])
      expect(JSON.stringify(created.body)).not.toContain('1mz050nq')
      expect(await store.people.find('isaac@acme.example')).toMatchObject({
        issuer: 'acme',
        name: 'Isaac Brock',
        emails: ['isaac@acme.example'],
        active: true,
        seen: null,
      })
      expect((await ask('GET', look)).body.Resources).toMatchObject([{ id, userName: 'Isaac@acme.example', locale: 'en-US' }])
      expect((await ask('POST', '/Users', user)).body).toMatchObject({ status: '409', scimType: 'uniqueness' })
      const put = await ask('PUT', `/Users/${id}`, { ...user, id, displayName: 'I. Brock' })
      expect([put.status, put.body.displayName, put.headers.get('etag')]).toEqual([200, 'I. Brock', 'W/"2"'])
      const off = await ask('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: false } }))
      expect([off.status, off.body.active, (await store.people.find('isaac@acme.example'))?.active]).toEqual([200, false, false])
      expect(await store.revocations.since(0, clock.now())).toContainEqual(
        expect.objectContaining({ kind: 'person', id: 'isaac@acme.example' }),
      )
      await ask('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: true } }))
      expect((await store.people.find('isaac@acme.example'))?.active).toBe(true)
    })

    test('as Entra ID speaks it: capitals, booleans as text, paths with filters and of the extension', async () => {
      const created = await entra('POST', '/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
        externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
        userName: 'Test_User_ab6490ee@testuser.com',
        active: true,
        emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@testuser.com' }],
        meta: { resourceType: 'User' },
        name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
        roles: [],
      })
      const { id = '' } = created.body
      // The person is known by what the configuration says.
      const person = '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef'
      expect(await store.people.find(person)).toMatchObject({ issuer: 'other', name: 'givenName familyName' })
      const changed = await entra(
        'PATCH',
        `/Users/${id}`,
        patch(
          { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@microsoft.com' },
          { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '555' },
          { op: 'Add', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', value: 'Legal' },
          { op: 'Replace', value: { 'name.familyName': 'updatedFamilyName', displayName: 'New Name' } },
        ),
      )
      expect(changed.body).toMatchObject({
        emails: [{ type: 'work', value: 'updatedEmail@microsoft.com', primary: true }],
        phoneNumbers: [{ type: 'mobile', value: '555' }],
        name: { familyName: 'updatedFamilyName', givenName: 'givenName' },
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Legal' },
      })
      expect(await store.people.find(person)).toMatchObject({ name: 'New Name', emails: ['updatedemail@microsoft.com'] })
      await entra('PATCH', `/Users/${id}`, patch({ op: 'Replace', path: 'active', value: 'False' }))
      expect((await store.people.find(person))?.active).toBe(false)
      expect((await entra('GET', `/Users${filter(`externalId eq "${person}"`)}`)).body).toMatchObject({
        totalResults: 1,
        Resources: [{ active: false }],
      })
      // Another directory sees nothing of it.
      expect((await ask('GET', `/Users/${id}`)).status).toBe(404)
    })

    test('puts people into groups and takes them out, in the words of both, and takes away only its own', async () => {
      const [ada = '', bob = ''] = [await made('ada.g@acme.example'), await made('bob.g@acme.example')]
      await store.people.setGroups('ada.g@acme.example', 'claims:acme', ['Sales'], clock.now())
      const created = await ask('POST', '/Groups', { displayName: 'Sales', externalId: 'x1', members: [{ value: ada, display: 'Ada' }] })
      const { id = '' } = created.body
      expect([created.status, created.body.members?.map(({ value }) => value)]).toEqual([201, [ada]])
      expect(await groupsOf('ada.g@acme.example')).toEqual(['claims:acme Sales', 'scim:okta Sales'])
      // Okta.
      expect((await ask('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: [{ value: bob }] }))).status).toBe(204)
      await ask('PATCH', `/Groups/${id}`, patch({ op: 'remove', path: `members[value eq "${ada}"]` }))
      expect([await groupsOf('ada.g@acme.example'), await groupsOf('bob.g@acme.example')]).toEqual([
        ['claims:acme Sales'],
        ['scim:okta Sales'],
      ])
      await ask('PATCH', `/Groups/${id}`, patch({ op: 'replace', value: { id, displayName: 'Selling' } }))
      expect(await groupsOf('bob.g@acme.example')).toEqual(['scim:okta Selling'])
      // Entra ID.
      await ask('PATCH', `/Groups/${id}`, patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: ada }] }))
      await ask('PATCH', `/Groups/${id}`, patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: bob }] }))
      expect((await ask('GET', `/Groups/${id}`)).body.members?.map(({ value }) => value)).toEqual([ada])
      const { body } = await ask('GET', `/Groups?excludedAttributes=members&${filter('displayName eq "selling"').slice(1)}`)
      expect([body.totalResults, Object.keys(body.Resources?.[0] ?? {})]).toEqual([
        1,
        ['schemas', 'id', 'displayName', 'externalId', 'meta'],
      ])
      const member = filter(`id eq "${id}" and members[value eq "${ada}"]`)
      expect((await ask('GET', `/Groups${member}`)).body.totalResults).toBe(1)
      expect((await ask('GET', `/Groups${filter(`id eq "${id}" and members eq "${bob}"`)}`)).body.totalResults).toBe(0)
      // Somebody who is nobody here changes nothing.
      const unknown = await ask('PATCH', `/Groups/${id}`, patch({ op: 'replace', path: 'members', value: [{ value: 'usr_nobody' }] }))
      expect([unknown.status, unknown.body.scimType]).toEqual([400, 'invalidValue'])
      expect((await ask('GET', `/Groups/${id}`)).body.members).toHaveLength(1)
      await ask('PUT', `/Groups/${id}`, { displayName: 'Selling', members: [{ value: bob }] })
      expect(await groupsOf('bob.g@acme.example')).toEqual(['scim:okta Selling'])
      expect([(await ask('DELETE', `/Groups/${id}`)).status, await groupsOf('bob.g@acme.example')]).toEqual([204, []])
    })

    test('removes a person: shut out, out of its groups, keys revoked, on record; and takes them back', async () => {
      const id = await made('gone@acme.example')
      await ask('POST', '/Groups', { displayName: 'Leavers', members: [{ value: id }] })
      const key = {
        hash: 'h',
        prefix: 'tw_',
        consumer: null,
        actor: null,
        credentials: new Map(),
        created: 1,
        expires: null,
        revoked: null,
      }
      await store.keys.insert({ ...key, id: 'key_gone', principal: 'gone@acme.example' } as unknown as Parameters<
        Store['keys']['insert']
      >[0])
      expect((await ask('DELETE', `/Users/${id}`)).status).toBe(204)
      expect(await store.people.find('gone@acme.example')).toMatchObject({ active: false, groups: [] })
      expect((await store.keys.findById('key_gone'))?.revoked).toBe(clock.now())
      expect([(await ask('GET', `/Users/${id}`)).status, (await ask('DELETE', `/Users/${id}`)).status]).toEqual([404, 404])
      expect(await made('gone@acme.example')).not.toBe(id)
      expect((await store.people.find('gone@acme.example'))?.active).toBe(true)
    })

    test('never takes somebody of another issuer, and knows principals of the file by their addresses', async () => {
      await store.people.add(
        {
          id: 'theirs@acme.example',
          issuer: 'other',
          subject: 's',
          kind: 'human',
          name: null,
          emails: [],
          active: true,
          roles: [],
          created: 1,
          seen: 1,
        },
        1,
      )
      const { status, body } = await ask('POST', '/Users', { userName: 'Theirs@acme.example', active: false })
      expect([status, body.scimType]).toEqual([409, 'uniqueness'])
      expect((await store.people.find('theirs@acme.example'))?.active).toBe(true)
      await made('Boss@acme.example')
      expect(await store.people.find('declared')).toMatchObject({ issuer: 'acme' })
      const other = await entra('POST', '/Users', { userName: 'b', externalId: 'boss@acme.example' })
      expect(other.status).toBe(409)
    })

    test('leaves what an administrator decided until the directory says something else than before', async () => {
      const id = await made('kept@acme.example')
      await store.people.setActive('kept@acme.example', false, clock.now())
      await ask('PUT', `/Users/${id}`, { userName: 'kept@acme.example', displayName: 'K', active: true })
      expect((await store.people.find('kept@acme.example'))?.active).toBe(false)
    })

    test('changes only the version that is meant, and not what a person is known by', async () => {
      const id = await made('tag@acme.example')
      const put = (match: string) => ask('PUT', `/Users/${id}`, { userName: 'tag@acme.example', title: match }, { 'if-match': match })
      expect([(await put('W/"1"')).status, (await put('W/"1"')).status, (await put('W/"2"')).status]).toEqual([200, 412, 200])
      expect((await ask('GET', `/Users/${id}`, undefined, { 'if-none-match': 'W/"3"' })).status).toBe(304)
      const renamed = await ask('PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'userName', value: 'other@acme.example' }))
      expect([renamed.status, renamed.body.scimType]).toEqual([400, 'mutability'])
      const many = await Promise.all(
        Array.from({ length: 4 }, (_, at) => ask('PATCH', `/Users/${id}`, patch({ op: 'add', path: `x${at}`, value: at }))),
      )
      expect(many.map(({ status }) => status)).toEqual([200, 200, 200, 200])
      expect((await ask('GET', `/Users/${id}`)).body).toMatchObject({ x0: 0, x1: 1, x2: 2, x3: 3 })
    })

    test('lists page by page, in one order, with what was asked for', async () => {
      for (const name of ['p1', 'p2', 'p3']) {
        clock.advance(1)
        await made(name, { title: 'page' })
      }
      const page = (rest: string) => ask('GET', `/Users${filter('title eq "page"')}&${rest}`)
      const second = await page('startIndex=2&count=1&attributes=userName')
      expect(second.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 1 })
      expect(second.body.Resources?.map(({ id: _, ...rest }) => rest)).toEqual([
        { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'p2' },
      ])
      expect((await page('count=0')).body).toMatchObject({ totalResults: 3, Resources: [] })
      expect((await ask('GET', '/Users?startIndex=x')).status).toBe(400)
    })

    test('lets in only who has the token of a directory, and says what is wrong with a request in its form', async () => {
      for (const token of ['', 'x', tokens.okta.slice(1), `${tokens.okta}x`]) {
        const { status, body, headers } = await ask('GET', '/Users', undefined, {}, token)
        expect([status, body.status, headers.get('www-authenticate')]).toEqual([401, '401', 'Bearer realm="scim"'])
      }
      const wrong: [string, string, unknown, number, Record<string, string>?][] = [
        ['GET', '/Users?filter=userName%20eq', undefined, 400],
        ['GET', `/Users${filter(`userName eq "x" or "1" eq "1"`)}`, undefined, 400],
        ['POST', '/Users', '{', 400],
        ['POST', '/Users', [], 400],
        ['POST', '/Users', { displayName: 'no name' }, 400],
        ['POST', '/Users', '{"userName":'.repeat(20) + '1' + '}'.repeat(20), 400],
        ['POST', '/Users', { userName: 'x' }, 415, { 'content-type': 'text/plain' }],
        ['POST', '/Users', { userName: 'x'.repeat(5_000_000) }, 413],
        ['DELETE', '/Users', undefined, 405],
        ['GET', '/Bulk', undefined, 404],
        ['GET', '/Users/x/y', undefined, 404],
      ]
      for (const [method, path, body, expected, headers] of wrong) {
        const answer = await ask(method, path, body, headers).catch(() => undefined)
        // Who sends far too much may be cut off while they still send.
        if (answer !== undefined)
          expect([path, answer.status, answer.body.schemas]).toEqual([path, expected, ['urn:ietf:params:scim:api:messages:2.0:Error']])
        else expect(expected).toBe(413)
      }
    })

    test('says what it is', async () => {
      expect((await ask('GET', '/ServiceProviderConfig')).body).toMatchObject({ patch: { supported: true }, filter: { supported: true } })
      expect((await ask('GET', '/ResourceTypes')).body).toMatchObject({ totalResults: 2 })
      expect((await ask('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User')).body).toMatchObject({ name: 'User' })
      expect((await ask('GET', '/Schemas')).body).toMatchObject({ totalResults: 3 })
    })
  })
})
