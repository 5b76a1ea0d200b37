/** Where Bedrock is asked, and how a request proves who we are: checked against AWS's own implementation of its signature. */
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AwsCredential, Credential } from '../../core/credential.ts'
import type { UnsignedRequest } from '../provider.ts'
import { bedrock } from './bedrock.ts'
import { percentEncoded, signV4 } from './signature-v4.ts'

const keys: AwsCredential = { kind: 'aws', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret', sessionToken: undefined }

function flat(headers: readonly string[]): Record<string, string> {
  return Object.fromEntries(headers.flatMap((name, at) => (at % 2 === 0 ? [[name, String(headers[at + 1])]] : [])))
}

async function expected(
  credential: AwsCredential,
  path: string,
  body: string,
  now: number,
  region: string,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = credential
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  const signer = new SignatureV4({ credentials, region, service: 'bedrock', sha256: Sha256, applyChecksum: false })
  const [plain = '', query = ''] = path.split('?')
  const request = {
    method: 'POST',
    protocol: 'https:',
    hostname: 'bedrock-runtime.us-east-1.amazonaws.com',
    path: plain,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { host: 'bedrock-runtime.us-east-1.amazonaws.com', 'content-type': 'application/json' },
    body,
  }
  return (await signer.sign(request, { signingDate: new Date(now) })).headers
}

describe('a signature', () => {
  test('is the one AWS makes, whatever the model, the body, the time and the keys', async () => {
    const model = fc.oneof(
      fc.constantFrom(
        'anthropic.claude-sonnet-4-5-20250929-v1:0',
        'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.meta.llama4',
        "a!'()*b c",
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text !== '.' && text !== '..'),
    )
    const key = fc.record({
      secretAccessKey: fc.string({ minLength: 1 }),
      sessionToken: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(model, fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 4e12 }), key, async (name, body, now, secret) => {
        const credential: AwsCredential = { kind: 'aws', accessKeyId: 'AKIDEXAMPLE', ...secret }
        const path = `/model/${percentEncoded(name)}/converse`
        const request = { method: 'POST', host: 'bedrock-runtime.us-east-1.amazonaws.com', path, contentType: 'application/json', body }
        const headers = flat(signV4(request, credential, { region: 'us-east-1', service: 'bedrock', now }))
        const theirs = await expected(credential, path, body, now, 'us-east-1')
        for (const [header, value] of Object.entries(headers)) expect([header, value]).toEqual([header, theirs[header]])
        expect(headers.authorization).toContain('Signature=')
      }),
      { numRuns: 60 },
    )
  })
})

const config = upstreamSchema.parse({ kind: 'bedrock', region: 'us-east-1' })
const unsigned = (changes: Partial<UnsignedRequest> = {}): UnsignedRequest => ({
  method: 'POST',
  baseUrl: 'base_url' in config ? String(config.base_url) : '',
  path: '/model/m/converse',
  headers: ['content-type', 'application/json'],
  body: '{}',
  config,
  ...changes,
})
const sign = async (credential: Credential, changes: Partial<UnsignedRequest> = {}): Promise<Record<string, string>> =>
  flat(await bedrock.sign(unsigned(changes), credential, 0))

describe('bedrock', () => {
  test('is asked in its region', () => {
    expect(config).toMatchObject({ base_url: 'https://bedrock-runtime.us-east-1.amazonaws.com' })
    expect(upstreamSchema.safeParse({ kind: 'bedrock' }).success).toBe(false)
    for (const region of ['us-east-1.evil.example', 'x', 'us-east-1/', '', 'US-EAST-1'])
      expect(upstreamSchema.safeParse({ kind: 'bedrock', region }).success).toBe(false)
    for (const region of ['us-gov-west-1', 'eu-central-1', 'ap-southeast-4', 'cn-north-1'])
      expect(upstreamSchema.safeParse({ kind: 'bedrock', region }).success).toBe(true)
  })

  test('takes a Bedrock API key as a bearer, and signs with keys, tokens included', async () => {
    expect(await sign({ kind: 'secret', secret: 'bedrock-api-key-x' })).toEqual({ authorization: 'Bearer bedrock-api-key-x' })
    expect(await sign({ kind: 'none' })).toEqual({})
    const signed = await sign({ ...keys, sessionToken: 'token' })
    expect(signed).toMatchObject({ 'x-amz-date': '19700101T000000Z', 'x-amz-security-token': 'token' })
    expect(signed.authorization).toContain('SignedHeaders=content-type;host;x-amz-date;x-amz-security-token')
    expect(JSON.stringify(signed)).not.toContain('a-secret')
  })

  test('signs the whole path, below whatever stands in front of it', async () => {
    const below = await sign(keys, { baseUrl: 'https://edge.example/bedrock/' })
    const request = { method: 'POST', host: 'edge.example', path: '/bedrock/model/m/converse', contentType: 'application/json', body: '{}' }
    expect(below).toEqual(flat(signV4(request, keys, { region: 'us-east-1', service: 'bedrock', now: 0 })))
  })

  const spoken = { path: '/model/{model}/converse' }
  test.each([
    ['us.amazon.nova-pro-v1:0', false, '/model/us.amazon.nova-pro-v1%3A0/converse'],
    ['us.amazon.nova-pro-v1:0', true, '/model/us.amazon.nova-pro-v1%3A0/converse-stream'],
    [
      'arn:aws:bedrock:us-east-1:1:inference-profile/a',
      false,
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fa/converse',
    ],
    ['half \ud800', false, '/model/half%20%EF%BF%BD/converse'],
    ['../../x?y#z', false, '/model/..%2F..%2Fx%3Fy%23z/converse'],
  ])('asks %s at its own path', (model, stream, path) => {
    expect(bedrock.place?.({ spoken, config }, model, stream)).toBe(path)
  })

  test.each(['.', '..', ''])('has no model %j', (model) => {
    expect(() => bedrock.place?.({ spoken, config }, model, false)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
  })
})
