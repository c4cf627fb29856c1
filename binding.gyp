{
  # node-gyp and node-gyp-build expect this file; the build itself is CMake's.
  "targets": [
    {
      "target_name": "fer_torch",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/Release/fer_torch.node"],
          "action": ["node", "scripts/prepare.mjs"]
        }
      ]
    }
  ]
}
