/** Certificates made for one run: an authority, and what it issues to servers and clients. DER (X.690) by hand, because `node:crypto` reads certificates but makes none. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** As PEM text. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certificate {
  /** A certificate for these names (`localhost`, `127.0.0.1`, `spiffe://…`, `name@host`), from a minute ago for an hour or until `expires`. */
  issue(names: readonly string[], options?: { readonly expires?: number; readonly from?: number }): Certificate
}

const sequence = 0x30
const ecdsaWithSha256 = value(sequence, objectId('2a8648ce3d040302'))
const hourMs = 3_600_000

export function makeAuthority(name = 'test authority'): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = nameOf(name)
  const constraints = extension('551d13', value(sequence, value(0x01, Buffer.from([0xff]))))
  const cert = certificate({ issuer: subject, subject, publicKey: pair.publicKey, signer: pair.privateKey, extensions: [constraints] })
  return {
    cert,
    key: pem(pair.privateKey),
    issue(names, { expires = Date.now() + hourMs, from = Date.now() - 60_000 } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = extension('551d11', value(sequence, ...names.map(alternativeName)))
      return {
        cert: certificate({
          issuer: subject,
          subject: nameOf(names[0] ?? 'nobody'),
          publicKey: own.publicKey,
          signer: pair.privateKey,
          extensions: [alternatives],
          expires,
          from,
        }),
        key: pem(own.privateKey),
      }
    },
  }
}

interface Contents {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
  readonly expires?: number
  readonly from?: number
}

function certificate({ issuer, subject, publicKey, signer, extensions, expires, from }: Contents): string {
  const signed = value(
    sequence,
    value(0xa0, value(0x02, Buffer.from([2]))),
    value(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    value(sequence, time(from ?? Date.now() - 60_000), time(expires ?? Date.now() + hourMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    value(0xa3, value(sequence, ...extensions)),
  )
  const der = value(sequence, signed, ecdsaWithSha256, value(0x03, Buffer.from([0]), sign('sha256', signed, signer)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function nameOf(commonName: string): Buffer {
  return value(sequence, value(0x31, value(sequence, objectId('550403'), value(0x0c, Buffer.from(commonName)))))
}

function extension(id: string, content: Buffer): Buffer {
  return value(sequence, objectId(id), value(0x04, content))
}

function alternativeName(name: string): Buffer {
  if (/^\d+(\.\d+){3}$/.test(name)) return value(0x87, Buffer.from(name.split('.').map(Number)))
  if (name.includes('://')) return value(0x86, Buffer.from(name))
  return value(name.includes('@') ? 0x81 : 0x82, Buffer.from(name))
}

function value(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function objectId(hex: string): Buffer {
  return value(0x06, Buffer.from(hex, 'hex'))
}

function time(ms: number): Buffer {
  return value(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')))
}
