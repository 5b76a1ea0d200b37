/** A certificate that signs itself, made in the test: DER (X.690) by hand, because `node:crypto` reads certificates but makes none. */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

const sequence = 0x30
const ecdsaWithSha256 = value(sequence, objectId('2a8648ce3d040302'))
const commonName = '550403'
const alternativeNames = '551d11'
const dnsName = 0x82
const ipAddress = 0x87

/** For one host by its name and its IPv4 address, from a minute ago for an hour. */
export function selfSigned(host = 'localhost', address: readonly number[] = [127, 0, 0, 1], now = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = value(sequence, value(0x31, value(sequence, objectId(commonName), value(0x0c, Buffer.from('turnward test')))))
  const names = value(sequence, value(dnsName, Buffer.from(host)), value(ipAddress, Buffer.from(address)))
  const signed = value(
    sequence,
    value(0xa0, value(0x02, Buffer.from([2]))),
    value(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    value(sequence, time(now - 60_000), time(now + 3_600_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    value(0xa3, value(sequence, value(sequence, objectId(alternativeNames), value(0x04, names)))),
  )
  const signature = sign('sha256', signed, privateKey)
  const der = value(sequence, signed, ecdsaWithSha256, value(0x03, Buffer.from([0]), signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
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
