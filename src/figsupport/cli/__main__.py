from figsupport.cli import main

main()
