// The part of an nginx configuration that every nginx of the bench shares: one worker, nothing outside its folder.

export function nginxConfiguration(folder: string, httpLines: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    // Started by root, workers would otherwise become www-data, who may not look into the bench's folder.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes 1;',
    'daemon off;',
    `pid ${folder}/nginx.pid;`,
    `error_log ${folder}/error.log warn;`,
    'events { worker_connections 2048; }',
    'http {',
    'sendfile on;',
    'tcp_nodelay on;',
    'keepalive_requests 1000000000;',
    'keepalive_timeout 300s;',
    'default_type application/octet-stream;',
    ...temporary.map((name) => `${name}_temp_path ${folder}/temporary-${name};`),
    ...httpLines,
    '}',
    '',
  ].join('\n');
}
