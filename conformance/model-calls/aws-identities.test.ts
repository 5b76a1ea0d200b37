/** A gateway signs with keys that its machine is given: by a container’s endpoint, by a profile. They are renewed, and nobody sees them. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { say } from '../harness/model-answer.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const key = 'tw_identities_key_0123456789abcdef'
const secret = 'given-secret-of-the-container'
const ask = JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'Hi.' }] }] })

let bedrock: Vendor
let container: Vendor
let gateway: RunningGateway
let folder: string
let given: () => object | undefined

beforeAll(async () => {
  bedrock = await startVendor((request) => say(request, { text: 'ok' }))
  container = await startVendor(() => {
    const keys = given()
    return keys === undefined ? { status: 404, parts: ['no role'] } : { parts: [JSON.stringify(keys)] }
  })
  folder = await mkdtemp(join(tmpdir(), 'turnward-aws-'))
  await writeFile(join(folder, 'credentials'), '[team]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret-of-the-profile\n')
  // It would print keys, and leave a trace of having run.
  const program = `sh -c 'touch "${join(folder, 'ran')}"; echo {}'`
  await writeFile(
    join(folder, 'config'),
    `[profile program]\ncredential_process = ${program}\n[profile behind]\nsource_profile = program\nrole_arn = arn:aws:iam::123456789012:role/r\n`,
  )
  const upstream = (credential: string) => ({ kind: 'bedrock', region: 'eu-central-1', base_url: bedrock.url, credential })
  gateway = await startGateway({
    config: {
      listen: { port: 0 },
      credentials: {
        given: { aws: { identity: 'container' } },
        file: { aws: { profile: 'team' } },
        absent: { aws: { profile: 'nobody' } },
        program: { aws: { profile: 'program' } },
        behind: { aws: { profile: 'behind' } },
      },
      upstreams: {
        given: upstream('given'),
        file: upstream('file'),
        nobody: upstream('absent'),
        program: upstream('program'),
        behind: upstream('behind'),
      },
      routes: ['given', 'file', 'nobody', 'program', 'behind'].map((name) => ({
        model: name,
        upstreams: [{ upstream: name, model: 'amazon.nova-lite-v1:0' }],
      })),
      principals: { alice: {} },
      keys: { alice: { principal: 'alice', secret: '${ALICE_KEY}' } },
      grants: [{ principals: ['alice'], models: ['*'] }],
    },
    env: {
      ALICE_KEY: key,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/credentials`,
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  await bedrock.close()
  await container.close()
  await rm(folder, { recursive: true, force: true })
})

const call = (model: string): Promise<Response> =>
  fetch(`${gateway.url}/model/${model}/converse`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: ask })
const signedBy = (): string => /Credential=([^/]+)\//.exec(String(bedrock.last().headers.authorization))?.[1] ?? ''
const keysOf = (AccessKeyId: string, seconds: number): object => ({
  AccessKeyId,
  SecretAccessKey: secret,
  Token: 'given-session-token',
  Expiration: new Date(Date.now() + seconds * 1000).toISOString(),
})

test('keys of a container are asked for once, and again before they expire', async () => {
  // Within the time in which they are renewed.
  given = () => keysOf('AKIDFIRST', 100)
  expect((await call('given')).status).toBe(200)
  expect(signedBy()).toBe('AKIDFIRST')
  expect(bedrock.last().headers['x-amz-security-token']).toBe('given-session-token')
  given = () => keysOf('AKIDSECOND', 3600)
  expect((await call('given')).status).toBe(200)
  expect(signedBy()).toBe('AKIDSECOND')
  const asked = container.requests.length
  await Promise.all(Array.from({ length: 5 }, () => call('given')))
  expect(container.requests.length).toBe(asked)
  expect(gateway.logs()).not.toMatch(/given-secret|given-session|AKIDFIRST|AKIDSECOND/)
})

test('keys of a profile sign as well', async () => {
  expect((await call('file')).status).toBe(200)
  expect(signedBy()).toBe('AKIDPROFILE')
  expect(gateway.logs()).not.toContain('secret-of-the-profile')
})

test('keys that cannot be had are a coded error, and nothing is sent', async () => {
  const before = bedrock.requests.length
  const answer = await call('nobody')
  expect(answer.headers.get('x-amzn-errortype')).toMatch(/Exception$/)
  expect(await answer.json()).toMatchObject({ code: 'upstream.credential', message: expect.stringContaining('could not be obtained') })
  expect(bedrock.requests.length).toBe(before)
  given = () => undefined
  const { stderr } = await gateway.cli(['upstreams', 'test', 'given', '--model', 'm', '--json'])
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'upstream.credential' } })
})

test.each(['program', 'behind'])('a profile that runs a program is refused, and nothing is run: %s', async (model) => {
  const answer = await call(model)
  expect(await answer.json()).toMatchObject({ code: 'upstream.credential' })
  await expect(access(join(folder, 'ran'))).rejects.toThrow()
})

test('`turnward upstreams test` signs with them', async () => {
  given = () => keysOf('AKIDTHIRD', 3600)
  const { stdout } = await gateway.cli(['upstreams', 'test', 'given', '--model', 'm', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  expect(signedBy()).toBe('AKIDTHIRD')
  expect(stdout).not.toContain(secret)
})

test.each([
  [{ identity: 'auto', profile: 'a' }],
  [{ identity: 'machine' }],
  [{ access_key_id: 'a' }],
  [{ session_token: 't' }],
  [{}],
  [{ role_arn: 'arn:aws:iam::1:role/x', profile: 'a' }],
])('%j is no credential', async (aws) => {
  await writeFile(join(gateway.dir, 'other.yaml'), JSON.stringify({ version: 1, credentials: { c: { aws } } }))
  expect((await gateway.cli(['check', '--config', join(gateway.dir, 'other.yaml')])).code).not.toBe(0)
})
