/** A gateway signs with keys that its machine is given: by a container’s endpoint, by a profile, as a role. They are renewed, and nobody sees them. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { say } from '../harness/model-answer.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const key = 'tw_identities_key_0123456789abcdef'
const secret = 'given-secret-of-the-container'
const ask = JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'Hi.' }] }] })

const role = 'arn:aws:iam::123456789012:role/r'
/** Profiles of the role, each with another way to who asks for it. */
const roles = [
  ['by-profile', 'source_profile = team\nexternal_id = ours'],
  ['by-container', 'credential_source = EcsContainer'],
  ['by-environment', 'credential_source = Environment'],
  ['by-nobody', 'source_profile = team'],
  ['by-device', 'source_profile = team\nmfa_serial = arn:aws:iam::123456789012:mfa/ada'],
]
  .map(([name, lines]) => `[profile ${name}]\nregion = eu-central-1\nrole_arn = ${role}\n${lines}\n`)
  .join('')

let bedrock: Vendor
let container: Vendor
/** Gives keys of roles. */
let sts: Vendor
let gateway: RunningGateway
let folder: string
let given: () => object | undefined

beforeAll(async () => {
  bedrock = await startVendor((request) => say(request, { text: 'ok' }))
  container = await startVendor(() => {
    const keys = given()
    return keys === undefined ? { status: 404, parts: ['no role'] } : { parts: [JSON.stringify(keys)] }
  })
  sts = await startVendor()
  folder = await mkdtemp(join(tmpdir(), 'turnward-aws-'))
  await writeFile(join(folder, 'credentials'), '[team]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret-of-the-profile\n')
  // It would print keys, and leave a trace of having run.
  const program = `sh -c 'touch "${join(folder, 'ran')}"; echo {}'`
  await writeFile(
    join(folder, 'config'),
    `[profile program]\ncredential_process = ${program}\n[profile behind]\nsource_profile = program\nrole_arn = ${role}\n${roles}`,
  )
  const assumed = ['by-profile', 'by-container', 'by-environment', 'by-nobody', 'by-device']
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
        ...Object.fromEntries(assumed.map((name) => [name, { aws: { profile: name } }])),
      },
      upstreams: {
        given: upstream('given'),
        file: upstream('file'),
        nobody: upstream('absent'),
        program: upstream('program'),
        behind: upstream('behind'),
        ...Object.fromEntries(assumed.map((name) => [name, upstream(name)])),
      },
      routes: ['given', 'file', 'nobody', 'program', 'behind', ...assumed].map((name) => ({
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
      AWS_ACCESS_KEY_ID: 'AKIDENVIRONMENT',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-environment',
      AWS_ENDPOINT_URL_STS: sts.url,
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  await bedrock.close()
  await container.close()
  await sts.close()
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

/** What STS answers to AssumeRole. */
const roleKeys = (id: string): string =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId>` +
  `<SecretAccessKey>secret-of-the-role</SecretAccessKey><SessionToken>token-of-the-role</SessionToken>` +
  `<Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

test.each([
  ['by-profile', 'AKIDPROFILE'],
  ['by-container', 'AKIDCONTAINER'],
  ['by-environment', 'AKIDENVIRONMENT'],
])('keys of a role are asked for once, with the keys that the profile says: %s', async (model, source) => {
  given = () => keysOf('AKIDCONTAINER', 3600)
  sts.respond(() => ({ headers: { 'content-type': 'text/xml' }, parts: [roleKeys(`ASIAROLE${model}`)] }))
  const before = sts.requests.length
  for (let calls = 0; calls < 3; calls += 1) expect((await call(model)).status).toBe(200)
  expect([signedBy(), bedrock.last().headers['x-amz-security-token']]).toEqual([`ASIAROLE${model}`, 'token-of-the-role'])
  expect(sts.requests.length - before).toBe(1)
  const { headers, bytes } = sts.last()
  expect(headers.authorization).toMatch(new RegExp(`Credential=${source}/\\d+/eu-central-1/sts/aws4_request`))
  const form = Object.fromEntries(new URLSearchParams(bytes.toString()))
  expect(form).toMatchObject({ Action: 'AssumeRole', RoleArn: role, ...(model === 'by-profile' ? { ExternalId: 'ours' } : {}) })
  expect(gateway.logs()).not.toMatch(/secret-of-the|token-of-the|ASIAROLE/)
})

test('a role that is not given is a coded error, asked for no more than twice, and nothing is sent', async () => {
  const error = `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not this role</Message></Error></ErrorResponse>`
  sts.respond(() => ({ status: 403, headers: { 'content-type': 'text/xml' }, parts: [error] }))
  const before = [sts.requests.length, bedrock.requests.length]
  for (let calls = 0; calls < 3; calls += 1) expect(await (await call('by-nobody')).json()).toMatchObject({ code: 'upstream.credential' })
  expect(sts.requests.length - (before[0] ?? 0)).toBeLessThanOrEqual(2)
  expect(bedrock.requests.length).toBe(before[1])
})

test('a role that wants the code of a device is refused, with the name of the profile in the log, and nobody is asked', async () => {
  const before = sts.requests.length
  expect(await (await call('by-device')).json()).toMatchObject({ code: 'upstream.credential' })
  expect(sts.requests.length).toBe(before)
  await until('the reason in the log', () => (gateway.logs().includes('mfa_serial') ? true : undefined))
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
