/**
 * Which addresses no operator may be led to: link-local ones and those where clouds hand out credentials. Asked of the
 * address that a name resolved to, so that no name can hide one. Knows nothing of HTTP.
 */
import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { OperatorFailure } from './api.ts'

const refused = new BlockList()
// Link-local (RFC 3927, RFC 4291): the metadata service of AWS, Azure, Google and others is 169.254.169.254.
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
// The same addresses inside IPv6: IPv4-compatible, NAT64 (RFC 6052), 6to4 (RFC 3056). Mapped ones BlockList knows.
refused.addSubnet('::a9fe:0', 112, 'ipv6')
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
refused.addSubnet('2002:a9fe::', 32, 'ipv6')
// Metadata services elsewhere: AWS and Google over IPv6, Alibaba, Oracle, Azure's wire server.
refused.addAddress('fd00:ec2::254', 'ipv6')
refused.addAddress('fd20:ce::254', 'ipv6')
refused.addAddress('100.100.100.200', 'ipv4')
refused.addAddress('192.0.0.192', 'ipv4')
refused.addAddress('168.63.129.16', 'ipv4')

/** Whether an IP address (with or without a zone) is one that is refused. */
export function isRefused(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  const version = isIP(plain)
  return version !== 0 && refused.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}

/** Throws `invalid_input` where a host, as a URL has it, is itself an address that is refused. */
export function refuseHost(host: string): void {
  const address = host.replace(/^\[|\]$/g, '')
  if (isRefused(address)) throw refusal(address, address)
}

/** A lookup that fails where any address of the name is refused. @param resolve how names are resolved */
export function guarded(resolve: LookupFunction): LookupFunction {
  return (host, options, callback) =>
    resolve(host, options, (error, address, family) => {
      const all = error ? [] : typeof address === 'string' ? [address] : address.map((one) => one.address)
      const bad = all.find(isRefused)
      if (bad === undefined) callback(error, address, family)
      else callback(refusal(host, bad), address, family)
    })
}

/** The system's lookup, guarded: for `lookup` of connections. */
export const guardedLookup: LookupFunction = guarded(lookup as LookupFunction)

function refusal(host: string, address: string): OperatorFailure {
  const who = host === address ? host : `${host} is ${address}, which`
  return new OperatorFailure(
    'invalid_input',
    `${who} is a link-local or metadata address: requests to it are refused`,
  )
}
