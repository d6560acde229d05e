/** The borders of DESIGN: who may import whom. @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'services-never-import-services',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'libs-never-import-services-or-the-cli',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(services|pbx|cli|tests|examples)/' },
    },
    {
      name: 'media-ari-and-identity-stand-alone',
      severity: 'error',
      from: { path: '^libs/(media|ari|identity)/' },
      to: { path: '^libs/', pathNot: '^libs/(media|ari|identity)/' },
    },
    {
      name: 'media-ari-and-identity-stand-alone-from-each-other',
      severity: 'error',
      from: { path: '^libs/(media|ari|identity)/' },
      to: { path: '^libs/(media|ari|identity)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'the-simulated-pbx-stands-on-media-alone',
      comment: 'it is an Asterisk: what it shares with Callfleet would be wrong in both',
      severity: 'error',
      from: { path: '^libs/pbx-sim/', pathNot: '\\.it\\.test\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/(pbx-sim|media)/' },
    },
    {
      name: 'media-is-pure',
      comment: 'RTP, codecs, pacing: the sockets and the clock are handed in',
      severity: 'error',
      from: { path: '^libs/media/src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'services-and-sdk-need-no-testkit',
      severity: 'error',
      from: { path: '^(services|libs)/', pathNot: '^libs/testkit/|\\.it\\.test\\.ts$' },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'packages-are-entered-by-their-door',
      comment: 'import @callfleet/<name>, never a file of another package',
      severity: 'error',
      from: { path: '^((?:libs|services)/[^/]+|pbx|cli|examples)/' },
      to: {
        path: '^(libs|services)/[^/]+/src/',
        pathNot: [
          '^$1/',
          '^libs/[^/]+/src/((runtime|testing|thread)/)?mod\\.ts$',
          '^pbx/src/mod\\.ts$',
          '^libs/media/src/simulated-time\\.ts$',
        ],
      },
    },
    {
      name: 'libraries-are-entered-by-their-door-by-tests-too',
      comment: 'tests may put parts of several services together',
      severity: 'error',
      from: { path: '^tests/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/(runtime/)?mod\\.ts$'] },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'everything-resolves',
      comment: "k6 brings its own modules: only the load test's script, which k6 runs, may have them",
      severity: 'error',
      from: { pathNot: '^loadtest/main\\.ts$' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
