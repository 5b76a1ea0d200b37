import { expect, test } from 'vitest'
import { compileCertificateNames } from './certificate-names.ts'

test.each([
  ['edge.acme.example', 'DNS:edge.acme.example', 'edge.acme.example'],
  ['edge.acme.example', 'DNS:EDGE.Acme.example', 'edge.acme.example'],
  ['*.acme.example', 'DNS:one.acme.example', 'one.acme.example'],
  ['spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/ai/sa/agent-7', 'spiffe://acme/ns/ai/sa/agent-7'],
  ['spiffe://acme/ns/*/sa/agent-*', 'URI:SPIFFE://ACME/ns/ai/sa/agent-7', 'spiffe://acme/ns/ai/sa/agent-7'],
  ['*@acme.example', 'email:Zoe@ACME.example', 'Zoe@acme.example'],
])('%s means %s', (pattern, name, text) => {
  expect(compileCertificateNames([pattern])(['IP Address:127.0.0.1', name, name])).toEqual([text])
})

test.each([
  ['a label is not more than one', '*.acme.example', 'DNS:a.b.acme.example'],
  ['a label is not none', '*.acme.example', 'DNS:.acme.example'],
  ['a name is the whole name', 'acme.example', 'DNS:acme.example.evil.example'],
  ['a dot is a dot', 'edge.acme.example', 'DNS:edgeXacme.example'],
  ['another kind is another name', 'edge.acme.example', 'URI:edge.acme.example'],
  ['a wildcard certificate names nobody', '*.acme.example', 'DNS:*.acme.example'],
  ['a segment is not more than one', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/a/b/sa/c'],
  ['a segment is not none', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/a/sa/'],
  ['another trust domain', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme.evil/ns/a/sa/b'],
  ['segments of dots', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/../sa/b'],
  ['percent-encoding', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/a%2fb/sa/c'],
  ['a query', 'spiffe://acme/ns/*/sa/*', 'URI:spiffe://acme/ns/a/sa/b?c'],
  ['the path is compared by case', 'spiffe://acme/ns/a', 'URI:spiffe://acme/ns/A'],
  ['two addresses in one', '*@acme.example', 'email:a@evil.example@acme.example'],
  ['what Node quotes', '*', 'DNS:"a\\u002c DNS:b"'],
  ['names of the machine', '127.0.0.1', 'IP Address:127.0.0.1'],
])('%s', (_why, pattern, name) => {
  expect(compileCertificateNames([pattern])([name])).toEqual([])
})

test('a certificate with very many names is read only so far', () => {
  const names = Array.from({ length: 100 }, (_, index) => `DNS:n${index}.acme.example`)
  expect(compileCertificateNames(['*.acme.example'])(names)).toHaveLength(64)
})
