// How each request says who asks. Only this form stays: the older headers and the query `api_key` are switched off by a
// migration of the server in 2026 (AuthorizationContext.cs, EnableLegacyAuthorization).

export interface DeviceWords {
  readonly deviceId: string;
  readonly version: string;
}

/**
 * The server takes the values through a decoder of URLs (AuthorizationContext.cs, GetParts), so that quotes, commas and
 * plus signs in them are to be escaped.
 * @param token - null before there is one
 */
export function authorizationHeader(token: string | null, { deviceId, version }: DeviceWords): string {
  const parts: [string, string][] = [
    ['Client', 'Larder'],
    ['Device', 'Larder'],
    ['DeviceId', deviceId],
    ['Version', version],
  ];
  if (token !== null) parts.unshift(['Token', token]);
  return `MediaBrowser ${parts.map(([name, value]) => `${name}="${encodeURIComponent(value)}"`).join(', ')}`;
}
