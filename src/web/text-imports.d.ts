// Assets are imported as text (`with { type: 'text' }`), on Bun, compiled, and on Deno.
declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*.svg' {
  const text: string;
  export default text;
}
declare module '*.js' {
  const text: string;
  export default text;
}

declare module '*.base64' {
  const text: string;
  export default text;
}
